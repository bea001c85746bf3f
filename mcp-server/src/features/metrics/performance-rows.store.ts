import { type Kysely, sql } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import type { Database } from "../../store/database.ts";
import { askingMessage, finishedTask, measuredEvent } from "./measured.store.ts";
import type { TimeWindow } from "./window.rules.ts";

type Db = Kysely<Database>;

/** Tasks a team closed as done in a window, epics left out. */
export function doneTasks(db: Db, team: string, { from, to }: TimeWindow) {
  return db
    .selectFrom("task")
    .where(finishedTask)
    .where("team", "=", team)
    .where("closed_at", ">=", from)
    .where("closed_at", "<=", to);
}

/** Those of them a bug was discovered from after they were closed. */
export function defectiveTasks(db: Db, team: string, window: TimeWindow) {
  return doneTasks(db, team, window).where((e) =>
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
  );
}

function eventsOf(db: Db, type: string, team: string, { from, to }: TimeWindow) {
  return db
    .selectFrom("event")
    .where(measuredEvent)
    .where("type", "=", sql.lit(type))
    .where("team", "=", team)
    .where("at", ">=", from)
    .where("at", "<=", to);
}

/** Events of tasks that were handed in for review. */
export function handedIn(db: Db, team: string, window: TimeWindow) {
  return eventsOf(db, "task.submitted", team, window);
}

/** Events of those that were sent back: every failed gate and every FAIL of a review does. */
export function sentBack(db: Db, team: string, window: TimeWindow) {
  return eventsOf(db, "task.returned", team, window).where(
    "subject",
    "in",
    handedIn(db, team, window).select("subject"),
  );
}

/** Events of tasks that were done and opened again. */
export function reopened(db: Db, team: string, window: TimeWindow) {
  return eventsOf(db, "task.reopened", team, window).where("before", "like", '%"outcome":"done"%');
}

/** Loans other teams asked of this one; what a rule forbade was nobody's to give. */
export function askedLoans(db: Db, team: string, { from, to }: TimeWindow) {
  return db
    .selectFrom("loan")
    .where("from_team", "=", team)
    .where("requested_at", ">=", from)
    .where("requested_at", "<=", to)
    .where((e) => e.or([e("refusal", "is", null), e("refusal", "=", "no_consent")]));
}

/** What other teams declared that they need of this one. */
export function askedNeeds(db: Db, team: string, { from, to }: TimeWindow) {
  return db
    .selectFrom("dependency")
    .where("needs_team", "=", team)
    .where("team", "!=", team)
    .where("declared_at", ">=", from)
    .where("declared_at", "<=", to);
}

/** Questions and blockers that other teams sent to agents of this one. */
export function askedQuestions(db: Db, config: ProjectConfig, team: string, { from, to }: TimeWindow) {
  const agents = config.teams.find(({ id }) => id === team)?.agents ?? [];
  return db
    .selectFrom("message")
    .where(askingMessage)
    .where("recipient_name", "in", agents.length > 0 ? [...agents] : [""])
    .where("team", "!=", team)
    .where("created_at", ">=", from)
    .where("created_at", "<=", to);
}

/** Facts that were recorded for the team or from its tasks, and that stand. */
export function learnedFacts(db: Db, team: string, { from, to }: TimeWindow) {
  return db
    .selectFrom("knowledge")
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
    );
}

/** More are for other commands to list. */
const MOST_ROWS = 20;

/** Ids behind the counts that lower a score, and of what was learned; at most `MOST_ROWS` of each (requirement ME-02). */
export async function performanceRows(
  { db, config }: { readonly db: Db; readonly config: ProjectConfig },
  team: string,
  window: TimeWindow,
): Promise<Record<string, string[]>> {
  const subjects = async (events: ReturnType<typeof handedIn>) =>
    (await events.select("subject").distinct().orderBy("subject").limit(MOST_ROWS).execute()).flatMap(({ subject }) =>
      subject === null ? [] : [subject],
    );
  const keys = async (rows: Promise<{ key: string }[]>) => (await rows).map(({ key }) => key);
  const notGiven = ["requested", "refused"];
  return {
    sent_back: await subjects(sentBack(db, team, window)),
    reopened: await subjects(reopened(db, team, window)),
    defective: await keys(
      defectiveTasks(db, team, window).select("task.key").orderBy("task.id").limit(MOST_ROWS).execute(),
    ),
    loans_not_given: await keys(
      askedLoans(db, team, window)
        .select("key")
        .where("status", "in", notGiven)
        .orderBy("id")
        .limit(MOST_ROWS)
        .execute(),
    ),
    needs_open: await keys(
      askedNeeds(db, team, window)
        .select("key")
        .where("status", "!=", "resolved")
        .orderBy("id")
        .limit(MOST_ROWS)
        .execute(),
    ),
    questions_open: await keys(
      askedQuestions(db, config, team, window)
        .select("key")
        .where("answered_by", "is", null)
        .orderBy("id")
        .limit(MOST_ROWS)
        .execute(),
    ),
    learned: await keys(learnedFacts(db, team, window).select("key").orderBy("id").limit(MOST_ROWS).execute()),
  };
}
