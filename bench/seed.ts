import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { openSqlite } from "../mcp-server/src/store/sqlite.ts";
import type { Bench } from "./support.ts";

export interface Seed {
  readonly tasks: number;
  /** Tasks that are ready; the others wait for a blocker. */
  readonly ready: number;
}

/** A project whose store holds so many tasks, put there by bulk SQL: through the operations a million would take hours. */
export async function seedProject(bench: Bench, { tasks, ready }: Seed): Promise<string> {
  const root = mkdtempSync(join(bench.folder, "project-"));
  writeFileSync(join(root, "teamwright.yaml"), "wip_limits: { per_agent: 100000 }\ntask_quality: off\n");
  mkdirSync(join(root, ".teamwright"));
  const path = join(root, ".teamwright/state.db");
  await openSqlite({ path, synchronous: "normal" }).close();
  const db = new Sqlite(path);
  db.pragma("synchronous = off");
  const triggers = db
    .prepare("select name, sql from sqlite_schema where type = 'trigger' and tbl_name = 'task'")
    .all() as { name: string; sql: string }[];
  const now = Date.now();
  const every = ready > 0 ? Math.floor(tasks / ready) : tasks + 1;
  db.exec("begin");
  // the text index is of no use to these measurements and would triple the time; it is rebuilt for small stores only
  for (const { name } of triggers) db.exec(`drop trigger ${name}`);
  db.prepare(`
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ?)
    insert into task (id, key, team, title, description, acceptance, kind, status, priority, open_blockers, ready_prio, created_at, created_by, updated_at)
    select i, 'tw-' || printf('%08x', i), 'main', 'Do part ' || i || ' of the whole', 'Some words on what is to be done in part ' || i, 'It is done when part ' || i || ' works',
      'task', 'open', i % 5, case when i % ? = 0 then 0 else 1 end, case when i % ? = 0 then i % 5 end, ? + i, 'seed', ? + i
    from n`).run(tasks, every, every, now - tasks, now - tasks);
  // whoever is not ready waits for the next that is; the numbers stand in the text, because bound ones would be reals
  const target = `(id - id % ${every} + ${every})`;
  db.prepare(`
    insert into link (task_id, target_id, target_key, type, blocking, created_at, created_by)
    select id, ${target}, 'tw-' || printf('%08x', ${target}), 'blocks', 1, ?, 'seed' from task
    where ready_prio is null and ${target} <= ${tasks}`).run(now);
  db.exec(`
    insert into board_count (team, col, n)
    select 'main', case when ready_prio is null then 'backlog' else 'ready' end, count(*) from task group by 2`);
  for (const { sql } of triggers) db.exec(sql);
  if (tasks <= 20_000) db.exec("insert into task_search (task_search) values ('rebuild')");
  db.exec("commit");
  // as the store itself does at its end; a plain ANALYZE samples values (STAT4), which makes bound statements plan anew
  db.pragma("optimize = 0x10002");
  db.close();
  return root;
}
