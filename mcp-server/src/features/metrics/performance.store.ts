import { type Kysely, sql } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import type { Database } from "../../store/database.ts";
import { askingMessage, finishedTask, measuredEvent } from "./measured.store.ts";
import type { PerformanceFacts } from "./performance.rules.ts";
import type { TimeWindow } from "./window.rules.ts";

type Db = Kysely<Database>;

/** Counts of a team in a window of time, each by an index (requirement ME-02). */
export async function performanceFacts(
  { db, config }: { readonly db: Db; readonly config: ProjectConfig },
  team: string,
  window: TimeWindow,
): Promise<PerformanceFacts> {
  const agents = config.teams.find(({ id }) => id === team)?.agents ?? [];
  const done = await doneIn(db, team, window);
  const again = await reopenedIn(db, team, window);
  return {
    ...(await sprintsIn(db, team, window)),
    ...(await handedInIn(db, team, window)),
    ...(await askedIn(db, team, agents, window)),
    done: done.n,
    defective: done.defective,
    reopened: again.all,
    doneOrReopened: done.n + again.all - again.doneAgain,
    learned: await learnedIn(db, team, window),
  };
}

async function sprintsIn(db: Db, team: string, { from, to }: TimeWindow) {
  const { n } = await db
    .selectFrom("sprint")
    .select((e) => e.fn.countAll<number>().as("n"))
    .where("started_at", "<", to)
    .where((e) => e.or([e("ended_at", "is", null), e("ended_at", ">", from)]))
    .executeTakeFirstOrThrow();
  const ended = await db
    .selectFrom("sprint_team")
    .innerJoin("sprint", "sprint.id", "sprint_team.sprint_id")
    .select((e) => [
      e.fn.countAll<number>().as("n"),
      e.fn.sum<number>("sprint_team.velocity").as("points"),
      e.fn.sum<number>("sprint_team.agents").as("agents"),
    ])
    .where("sprint_team.team", "=", team)
    .where("sprint.ended_at", ">", from)
    .where("sprint.ended_at", "<=", to)
    .executeTakeFirstOrThrow();
  return {
    sprints: Number(n),
    sprintsEnded: Number(ended.n),
    points: Number(ended.points ?? 0),
    agentSprints: Number(ended.agents ?? 0),
  };
}

/** Done tasks, and those of them a bug was discovered from after they were closed. */
async function doneIn(db: Db, team: string, { from, to }: TimeWindow) {
  const done = db
    .selectFrom("task")
    .select((e) => e.fn.countAll<number>().as("n"))
    .where(finishedTask)
    .where("team", "=", team)
    .where("closed_at", ">=", from)
    .where("closed_at", "<=", to);
  const { n } = await done.executeTakeFirstOrThrow();
  const defective = await done
    .where((e) =>
      e.exists(
        e
          .selectFrom("link")
          .innerJoin("task as bug", "bug.id", "link.task_id")
          .select("link.id")
          .whereRef("link.target_id", "=", "task.id")
          .where("link.type", "=", "discovered-from")
          .where("bug.kind", "=", "bug")
          .whereRef("bug.created_at", ">", "task.closed_at"),
      ),
    )
    .executeTakeFirstOrThrow();
  return { n: Number(n), defective: Number(defective.n) };
}

function subjectsOf(db: Db, type: string, team: string, { from, to }: TimeWindow) {
  return db
    .selectFrom("event")
    .where(measuredEvent)
    .where("type", "=", sql.lit(type))
    .where("team", "=", team)
    .where("at", ">=", from)
    .where("at", "<=", to);
}

const each = sql<number>`count(distinct subject)`.as("n");

/** Every failed gate and every FAIL of a review sends a task back, so that one pair of events tells it all. */
async function handedInIn(db: Db, team: string, window: TimeWindow) {
  const handedIn = await subjectsOf(db, "task.submitted", team, window).select(each).executeTakeFirstOrThrow();
  const sentBack = await subjectsOf(db, "task.returned", team, window)
    .select(each)
    .where("subject", "in", subjectsOf(db, "task.submitted", team, window).select("subject"))
    .executeTakeFirstOrThrow();
  return { handedIn: Number(handedIn.n), sentBack: Number(sentBack.n) };
}

/** Tasks that were done and opened again, and those of them that were done again in the same window. */
async function reopenedIn(db: Db, team: string, window: TimeWindow) {
  const again = subjectsOf(db, "task.reopened", team, window).where("before", "like", '%"outcome":"done"%');
  const all = await again.select(each).executeTakeFirstOrThrow();
  const doneAgain = await db
    .selectFrom("task")
    .select((e) => e.fn.countAll<number>().as("n"))
    .where(finishedTask)
    .where("team", "=", team)
    .where("closed_at", ">=", window.from)
    .where("closed_at", "<=", window.to)
    .where("key", "in", again.select("subject").$castTo<{ subject: string }>())
    .executeTakeFirstOrThrow();
  return { all: Number(all.n), doneAgain: Number(doneAgain.n) };
}

/** What other teams asked of this one; a loan that a rule forbade was nobody's to give. */
async function askedIn(db: Db, team: string, agents: readonly string[], { from, to }: TimeWindow) {
  const loans = await db
    .selectFrom("loan")
    .select((e) => [
      e.fn.countAll<number>().as("asked"),
      sql<number>`sum(case when status in ('active', 'returned') then 1 else 0 end)`.as("given"),
    ])
    .where("from_team", "=", team)
    .where("requested_at", ">=", from)
    .where("requested_at", "<=", to)
    .where((e) => e.or([e("refusal", "is", null), e("refusal", "=", "no_consent")]))
    .executeTakeFirstOrThrow();
  const needs = await db
    .selectFrom("dependency")
    .select((e) => [
      e.fn.countAll<number>().as("asked"),
      sql<number>`sum(case when status = 'resolved' then 1 else 0 end)`.as("given"),
    ])
    .where("needs_team", "=", team)
    .where("team", "!=", team)
    .where("declared_at", ">=", from)
    .where("declared_at", "<=", to)
    .executeTakeFirstOrThrow();
  const questions = await db
    .selectFrom("message")
    .select((e) => [e.fn.countAll<number>().as("asked"), e.fn.count<number>("answered_by").as("given")])
    .where(askingMessage)
    .where("recipient_name", "in", agents.length > 0 ? [...agents] : [""])
    .where("team", "!=", team)
    .where("created_at", ">=", from)
    .where("created_at", "<=", to)
    .executeTakeFirstOrThrow();
  return {
    loansAsked: Number(loans.asked),
    loansGiven: Number(loans.given ?? 0),
    needsAsked: Number(needs.asked),
    needsResolved: Number(needs.given ?? 0),
    questionsAsked: Number(questions.asked),
    questionsAnswered: Number(questions.given),
  };
}

async function learnedIn(db: Db, team: string, { from, to }: TimeWindow): Promise<number> {
  const { n } = await db
    .selectFrom("knowledge")
    .select((e) => e.fn.countAll<number>().as("n"))
    .where("created_at", ">=", from)
    .where("created_at", "<=", to)
    .where("retired_at", "is", null)
    .where((e) =>
      e.or([
        e.and([e("scope", "=", "team"), e("owner", "=", team)]),
        e.exists(
          e
            .selectFrom("knowledge_source")
            .innerJoin("task", "task.key", "knowledge_source.ref")
            .select("task.id")
            .whereRef("knowledge_source.knowledge_id", "=", "knowledge.id")
            .where("knowledge_source.kind", "=", "task")
            .where("task.team", "=", team),
        ),
      ]),
    )
    .executeTakeFirstOrThrow();
  return Number(n);
}
