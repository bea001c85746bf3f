import { sql } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { bringDependencies } from "../dependency/dependency.store.ts";
import { waitingLinkTypes } from "./link.rules.ts";
import type { Task } from "./task.schema.ts";

/**
 * Brings what ties the task to others along to its new team; the task itself is the caller's to save. Throws
 * RULE_VIOLATED when a link would then reach into another team (DE-06), or a dependency would be of a team on itself.
 */
export async function changeTeam(ctx: OperationContext, task: Task, team: string): Promise<void> {
  const left = await openNeighbours(ctx, task.id, team);
  if (left.length > 0) {
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `${task.key} is linked with ${left.join(", ")} of another team than ${team}: between teams waiting is a dependency.`,
      hint("task_unlink", "removes the link first; dependency_declare can take its place"),
    );
  }
  const own = await bringDependencies(ctx, task.id, team);
  if (own !== undefined) {
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `The dependency ${own} would be one of team ${team} on itself.`,
      hint("dependency_resolve", "ends it first; task_link can take its place"),
    );
  }
  await leaveBlockedTime(ctx, task, team);
  ctx.record({ type: "task.transferred", subject: task.key, team: task.team, after: { team } });
}

/** How long the task has been blocked stays with the team it was blocked in: sums of a team only ever rise. */
async function leaveBlockedTime({ db, now }: OperationContext, task: Task, team: string): Promise<void> {
  const running = task.blockedSince === null ? 0 : Math.max(0, now - task.blockedSince);
  const ms = task.blockedMs + running;
  if (ms === 0) return;
  const rows = [
    { team: task.team, ms },
    { team, ms: -ms },
  ].sort((one, other) => (one.team < other.team ? -1 : 1)); // locked in one order by all
  for (const row of rows)
    await db
      .insertInto("blocked_moved")
      .values(row)
      .onConflict((conflict) =>
        conflict.column("team").doUpdateSet((e) => ({ ms: sql`blocked_moved.ms + ${e.ref("excluded.ms")}` })),
      )
      .execute();
}

/** Tasks that wait for this one or are waited for by a link, still to be done, and not of the team. */
async function openNeighbours(ctx: OperationContext, taskId: number, team: string): Promise<string[]> {
  const found: string[] = [];
  for (const [own, other] of [
    ["link.task_id", "link.target_id"],
    ["link.target_id", "link.task_id"],
  ] as const) {
    const rows = await ctx.db
      .selectFrom("link")
      .innerJoin("task", "task.id", other)
      .select("task.key")
      .where(own, "=", taskId)
      .where("link.type", "in", waitingLinkTypes)
      .where("link.cyclic", "=", 0)
      .where("task.team", "!=", team)
      .where("task.status", "!=", "closed")
      .orderBy("link.id")
      .limit(5)
      .execute();
    found.push(...rows.map((row) => row.key));
  }
  return found.slice(0, 5);
}
