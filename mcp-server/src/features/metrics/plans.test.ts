import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledQuery } from "kysely";
import { expect, test } from "vitest";
import { configSchema, withDefaults } from "../../config/config.schema.ts";
import { openSqlite } from "../../store/sqlite.ts";
import { conflictCounts, finishedCounts, finishedDurations, workAges } from "./flow.store.ts";
import { loopMetrics } from "./loop.store.ts";
import { performanceFacts } from "./performance.store.ts";
import { performanceRows } from "./performance-rows.store.ts";
import { coordinationTime, loanSprints, teamFacts } from "./portfolio.store.ts";
import { sprintMetrics } from "./sprint.store.ts";
import { workMetrics } from "./work.store.ts";

test("no metric reads all tasks, events, links or messages row by row: indexes answer (ME-04)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "teamwright-plans-"));
  const store = openSqlite({ path: join(folder, "state.db"), synchronous: "normal" });
  try {
    const { db } = store;
    const config = withDefaults(configSchema.parse({ teams: [{ id: "web", agents: ["ada"] }] }), folder);
    const asked = new Map<string, CompiledQuery>();
    const executor = db.getExecutor();
    const execute = executor.executeQuery.bind(executor);
    executor.executeQuery = (query) => {
      asked.set(query.sql, query);
      return execute(query);
    };
    const window = { from: 1, to: 1_000_000 };
    await workMetrics(db, ["web"], window.to);
    await sprintMetrics(db, config, window.to);
    await loopMetrics(db, ["web"]);
    await performanceFacts({ db, config }, "web", window);
    await performanceRows({ db, config }, "web", window);
    for (const which of ["lead", "cycle"] as const) await finishedDurations(db, which, window, "week");
    await conflictCounts(db, window, "day");
    await finishedCounts(db, window);
    await workAges(db, window.to);
    await teamFacts(db, config, window);
    await loanSprints(db);
    await coordinationTime(db, window);
    executor.executeQuery = execute;
    const plans: string[] = [];
    for (const query of asked.values()) {
      const plan = await execute<{ detail: string }>({ ...query, sql: `explain query plan ${query.sql}` });
      plans.push(...plan.rows.map(({ detail }) => detail));
    }
    expect(plans.filter((step) => /^SCAN (?:task|event|link|message|bug)\b(?!.*USING)/.test(step))).toEqual([]);
    for (const index of ["task_done", "event_measured", "message_asked", "link_target"])
      expect(plans.join("\n")).toContain(`INDEX ${index} `);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
