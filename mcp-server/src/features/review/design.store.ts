import type { Kysely, Selectable } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import type { DesignReviewTable } from "./review.table.ts";
import type { DesignVerdict } from "./verdict.rules.ts";

export type DesignReviewRow = Selectable<DesignReviewTable>;

/** The same reviewer may look again: each look is a round of its own (C-15). Returns which one this was. */
export async function insertDesignReview(
  ctx: OperationContext,
  by: { taskId: number; taskKey: string; reviewer: string; agentId: string },
  verdict: DesignVerdict,
): Promise<number> {
  const { n } = await ctx.db
    .selectFrom("design_review")
    .select((e) => e.fn.countAll<number>().as("n"))
    .where("task_id", "=", by.taskId)
    .where("reviewer", "=", by.reviewer)
    .executeTakeFirstOrThrow();
  const round = Number(n) + 1;
  await ctx.db
    .insertInto("design_review")
    .values({
      task_id: by.taskId,
      round,
      reviewer: by.reviewer,
      agent_id: by.agentId,
      verdict: verdict.verdict,
      blockers: JSON.stringify(verdict.blockers),
      suggestions: JSON.stringify(verdict.suggestions),
      questions: JSON.stringify(verdict.questions),
      use_cases: JSON.stringify(verdict.useCases),
      threats: JSON.stringify(verdict.threats),
      at: ctx.now,
    })
    .execute();
  ctx.record({
    type: "design.reviewed",
    subject: by.taskKey,
    after: { reviewer: by.reviewer, round, verdict: verdict.verdict, blockers: verdict.blockers.length },
  });
  return round;
}

export async function designReviewsOf(db: Kysely<Database>, taskId: number): Promise<DesignReviewRow[]> {
  return db.selectFrom("design_review").selectAll().where("task_id", "=", taskId).orderBy("id").execute();
}
