import type { OperationContext } from "../../kernel/operation.ts";
import { countsSoFar } from "../board/board.store.ts";
import { findWaitCircles } from "./dependency.rules.ts";

/** Wait circles between teams now: open dependencies that hold an open task back, and what each team could still do. */
export async function circlesNow(ctx: OperationContext): Promise<{ teams: string[]; deadlock: boolean }[]> {
  const waits = await ctx.db
    .selectFrom("dependency")
    .innerJoin("task", "task.id", "dependency.task_id")
    .select(["dependency.team", "dependency.needs_team"])
    .distinct()
    .where("dependency.status", "=", "open")
    .where("dependency.blocking", "=", 1)
    .where("task.status", "!=", "closed")
    .execute();
  const counts = await countsSoFar(ctx);
  const loads = [...counts].map(([team, columns]) => ({
    team,
    movable: (columns.ready ?? 0) + (columns.in_progress ?? 0) + (columns.review ?? 0),
  }));
  const edges = waits.map((row) => ({ team: row.team, needsTeam: row.needs_team }));
  return findWaitCircles(edges, loads).map(({ teams, deadlock }) => ({ teams: [...teams], deadlock }));
}
