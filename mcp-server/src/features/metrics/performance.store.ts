import { type Kysely, sql } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import type { Database } from "../../store/database.ts";
import type { PerformanceFacts } from "./performance.rules.ts";
import * as rows from "./performance-rows.store.ts";
import type { TimeWindow } from "./window.rules.ts";

type Db = Kysely<Database>;
type Context = { readonly db: Db; readonly config: ProjectConfig };

const count = sql<number>`count(*)`.as("n");
const each = sql<number>`count(distinct subject)`.as("n");

async function numberOf(query: { executeTakeFirstOrThrow(): Promise<{ n: number }> }): Promise<number> {
  return Number((await query.executeTakeFirstOrThrow()).n);
}

/** Counts of a team in a window of time, each by an index (requirement ME-02). */
export async function performanceFacts(ctx: Context, team: string, window: TimeWindow): Promise<PerformanceFacts> {
  const { db } = ctx;
  const done = await numberOf(rows.doneTasks(db, team, window).select(count));
  const again = rows.reopened(db, team, window);
  const reopened = await numberOf(again.select(each));
  const doneAgain = rows
    .doneTasks(db, team, window)
    .where("key", "in", again.select("subject").$castTo<{ subject: string }>());
  return {
    ...(await sprintsIn(db, team, window)),
    ...(await askedIn(ctx, team, window)),
    handedIn: await numberOf(rows.handedIn(db, team, window).select(each)),
    sentBack: await numberOf(rows.sentBack(db, team, window).select(each)),
    done,
    defective: await numberOf(rows.defectiveTasks(db, team, window).select(count)),
    reopened,
    doneOrReopened: done + reopened - (await numberOf(doneAgain.select(count))),
    learned: await numberOf(rows.learnedFacts(db, team, window).select(count)),
  };
}

async function sprintsIn(db: Db, team: string, { from, to }: TimeWindow) {
  const sprints = await numberOf(
    db
      .selectFrom("sprint")
      .select(count)
      .where("started_at", "<", to)
      .where((e) => e.or([e("ended_at", "is", null), e("ended_at", ">", from)])),
  );
  const ended = await db
    .selectFrom("sprint_team")
    .innerJoin("sprint", "sprint.id", "sprint_team.sprint_id")
    .select((e) => [
      count,
      e.fn.sum<number>("sprint_team.velocity").as("points"),
      e.fn.sum<number>("sprint_team.agents").as("agents"),
    ])
    .where("sprint_team.team", "=", team)
    .where("sprint.ended_at", ">", from)
    .where("sprint.ended_at", "<=", to)
    .executeTakeFirstOrThrow();
  return {
    sprints,
    sprintsEnded: Number(ended.n),
    points: Number(ended.points ?? 0),
    agentSprints: Number(ended.agents ?? 0),
  };
}

async function askedIn({ db, config }: Context, team: string, window: TimeWindow) {
  const given = sql<number>`sum(case when status in ('active', 'returned', 'resolved') then 1 else 0 end)`.as("given");
  const loans = await rows.askedLoans(db, team, window).select([count, given]).executeTakeFirstOrThrow();
  const needs = await rows.askedNeeds(db, team, window).select([count, given]).executeTakeFirstOrThrow();
  const questions = await rows
    .askedQuestions(db, config, team, window)
    .select((e) => [count, e.fn.count<number>("answered_by").as("given")])
    .executeTakeFirstOrThrow();
  return {
    loansAsked: Number(loans.n),
    loansGiven: Number(loans.given ?? 0),
    needsAsked: Number(needs.n),
    needsResolved: Number(needs.given ?? 0),
    questionsAsked: Number(questions.n),
    questionsAnswered: Number(questions.given),
  };
}
