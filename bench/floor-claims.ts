/** Claims everything in a table with raw immediate transactions; the floor of the claim race. */
import { writeSync } from "node:fs";
import Sqlite from "better-sqlite3";

const db = new Sqlite(process.argv[2] ?? "", { timeout: 30_000 });
db.pragma("synchronous = normal");
const claim = db.prepare(
  "update task set status = 'in_progress', holder = ?, prio = null where id = (select id from task where prio is not null order by prio, id limit 1) returning id",
);
const note = db.prepare("insert into event (body) values (?)");
const work = db.transaction((holder: string) => {
  const row = claim.get(holder) as { id: number } | undefined;
  if (row) note.run(`{"type":"task.claimed","subject":${row.id},"holder":"${holder}","padding":"${"x".repeat(200)}"}`);
  return row?.id;
});

writeSync(1, '"ready"\n');
process.stdin.once("data", () => {
  const done: string[] = [];
  for (let id = work.immediate(String(process.pid)); id !== undefined; id = work.immediate(String(process.pid)))
    done.push(String(id));
  writeSync(1, `${JSON.stringify({ done, refusals: [] })}\n`);
  process.exit(0);
});
