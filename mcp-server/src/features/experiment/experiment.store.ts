import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { Backlog } from "./backlog.rules.ts";
import type { RunState, SprintRecord } from "./state.rules.ts";

const STATE = "experiment";

/** One more value of a run, under a name of its own; undefined when it was never kept. */
export async function loadValue(db: Kysely<Database>, name: string): Promise<unknown> {
  const row = await read.first(db, { key: `${STATE}:${name}` });
  return row && JSON.parse(row.value);
}

export async function saveValue(db: Kysely<Database>, name: string, value: unknown): Promise<void> {
  await write.run(db, { key: `${STATE}:${name}`, value: JSON.stringify(value) });
}

const sprintKey = (n: number) => `${STATE}:sprint:${String(n).padStart(5, "0")}`;

const write = prepared((db, p: { key: string; value: string }) =>
  db
    .insertInto("meta")
    .values({ key: p.key, value: p.value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet((e) => ({ value: e.ref("excluded.value") }))),
);

const read = prepared((db, p: { key: string }) => db.selectFrom("meta").select("value").where("key", "=", p.key));

/** What the run needs to go on after its last complete sprint; undefined in a new store. */
export async function loadState(db: Kysely<Database>): Promise<RunState | undefined> {
  const row = await read.first(db, { key: STATE });
  return row && (JSON.parse(row.value) as RunState); // written by saveState only
}

export async function saveState(db: Kysely<Database>, state: RunState): Promise<void> {
  await write.run(db, { key: STATE, value: JSON.stringify(state) });
}

export async function saveSprint(db: Kysely<Database>, record: SprintRecord): Promise<void> {
  await write.run(db, { key: sprintKey(record.sprint), value: JSON.stringify(record) });
}

/** Whether anything has ever happened in this store. */
export async function isInUse(db: Kysely<Database>): Promise<boolean> {
  return (await anyEvent.first(db, {})) !== undefined;
}

const anyEvent = prepared((db) => db.selectFrom("event").select("seq").limit(1));

/** One complete sprint, as it is kept; the set-up is sprint 0, and not every run has one. */
export async function loadSprint(db: Kysely<Database>, n: number): Promise<SprintRecord | undefined> {
  const row = await read.first(db, { key: sprintKey(n) });
  return row && (JSON.parse(row.value) as SprintRecord); // written by saveSprint only
}

/** All complete sprints, in order. */
export async function loadSprints(db: Kysely<Database>, last: number): Promise<SprintRecord[]> {
  const records: SprintRecord[] = [];
  for (let n = 0; n <= last; n += 1) {
    const record = await loadSprint(db, n);
    if (record) records.push(record);
  }
  return records;
}

/** The texts a run was begun with: it goes on with them whatever became of the files. */
export interface StoredInputs {
  readonly config: string;
  readonly configName: string;
  readonly backlogs: readonly Backlog[];
  readonly seed: number;
  readonly variant: string;
}

const INPUTS = `${STATE}:inputs`;

export async function loadInputs(db: Kysely<Database>): Promise<StoredInputs | undefined> {
  const row = await read.first(db, { key: INPUTS });
  return row && (JSON.parse(row.value) as StoredInputs); // written by saveInputs only
}

export async function saveInputs(db: Kysely<Database>, inputs: StoredInputs): Promise<void> {
  await write.run(db, { key: INPUTS, value: JSON.stringify(inputs) });
}

/** A card somebody has in hand. */
export interface HeldCard {
  readonly key: string;
  readonly status: "in_progress" | "in_review";
  readonly holder: string | null;
  readonly holderName: string | null;
  readonly leaseExpiresAt: number | null;
}

const held = prepared((db, p: { team: string; status: string }) =>
  db
    .selectFrom("task")
    .select(["key", "status", "holder", "holder_name as holderName", "lease_expires_at as leaseExpiresAt"])
    .where("team", "=", p.team)
    .where("status", "=", p.status)
    .orderBy("priority")
    .orderBy("created_at")
    .orderBy("id"),
);

/** The cards of a team in one of the two columns where somebody holds them, in the board's order. */
export async function heldCards(db: Kysely<Database>, team: string, status: HeldCard["status"]): Promise<HeldCard[]> {
  const rows = await held.all(db, { team, status });
  return rows.map((row) => ({
    ...row,
    status,
    leaseExpiresAt: row.leaseExpiresAt === null ? null : Number(row.leaseExpiresAt),
  }));
}

export interface OpenCard {
  readonly key: string;
  readonly title: string;
  readonly description: string | null;
  readonly points: number | null;
  readonly status: string;
  readonly openBlockers: number;
  readonly blockedSince: number | null;
  readonly blockedReason: string | null;
  readonly blockedMs: number;
}

const open = prepared((db, p: { team: string }) =>
  db
    .selectFrom("task")
    .select([
      "key",
      "title",
      "description",
      "points",
      "status",
      "open_blockers as openBlockers",
      "blocked_since as blockedSince",
      "blocked_reason as blockedReason",
      "blocked_ms as blockedMs",
    ])
    .where("team", "=", p.team)
    .where("status", "in", ["open", "in_progress", "in_review", "deferred"])
    .orderBy("priority")
    .orderBy("created_at")
    .orderBy("id"),
);

/** Everything of a team that is not closed, in the board's order. */
export async function openCards(db: Kysely<Database>, team: string): Promise<OpenCard[]> {
  const rows = await open.all(db, { team });
  return rows.map((row) => ({
    ...row,
    openBlockers: Number(row.openBlockers),
    blockedSince: row.blockedSince === null ? null : Number(row.blockedSince),
    blockedMs: Number(row.blockedMs),
  }));
}

export interface DoneCard {
  readonly key: string;
  readonly title: string;
  readonly points: number | null;
  readonly startedAt: number | null;
  readonly closedAt: number;
  readonly closedBy: string | null;
}

const done = prepared((db, p: { team: string; from: number; to: number }) =>
  db
    .selectFrom("task")
    .select(["key", "title", "points", "started_at as startedAt", "closed_at as closedAt", "assignee as closedBy"])
    .where("team", "=", p.team)
    .where("closed_at", "is not", null)
    .where("closed_at", ">=", p.from)
    .where("closed_at", "<", p.to)
    .where("outcome", "=", "done")
    .orderBy("closed_at")
    .orderBy("id"),
);

/** What a team has closed as done from one instant until before another (requirement C-23). */
export async function doneBetween(db: Kysely<Database>, team: string, from: number, to: number): Promise<DoneCard[]> {
  const rows = await done.all(db, { team, from, to });
  return rows.map((row) => ({
    ...row,
    startedAt: row.startedAt === null ? null : Number(row.startedAt),
    closedAt: Number(row.closedAt),
  }));
}

export interface StoryFacts {
  readonly task: string;
  readonly story: string;
  readonly domain: string | null;
}

const stories = prepared((db, p: { team: string }) =>
  db
    .selectFrom("story")
    .innerJoin("task", "task.id", "story.task_id")
    .select(["task.key as task", "story.key as story", "story.domain"])
    .where("task.team", "=", p.team)
    .where("task.status", "in", ["open", "in_progress", "in_review", "deferred"]),
);

/** What the backlog says of the open cards of a team. */
export async function storyFacts(db: Kysely<Database>, team: string): Promise<Map<string, StoryFacts>> {
  const rows = await stories.all(db, { team });
  return new Map(rows.map((row) => [row.task, row]));
}

/** Loans that came to something, in the order they were asked for. */
export async function usedLoans(db: Kysely<Database>) {
  return db
    .selectFrom("loan")
    .select(["agent", "from_team", "to_team", "reason", "sprint_from", "due_sprint", "last_sprint", "status"])
    .where("status", "in", ["active", "returned"])
    .orderBy("id")
    .execute();
}

const needs = prepared((db, p: { team: string }) =>
  db.selectFrom("dependency").select("id").where("status", "=", "open").where("needs_team", "=", p.team).limit(1),
);

/** Whether any team waits for this one. */
export async function isNeeded(db: Kysely<Database>, team: string): Promise<boolean> {
  return (await needs.first(db, { team })) !== undefined;
}
