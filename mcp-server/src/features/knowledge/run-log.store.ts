import { type Kysely, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import { readProjectFile, replaceProjectFile } from "../../kernel/project-files.ts";
import { isRecord, textOf } from "../../kernel/records.ts";
import type { Database } from "../../store/database.ts";
import { parseRecord } from "../agent/agent.rules.ts";
import type { RunRow } from "../run/run.store.ts";
import { loadFacts } from "./knowledge-read.store.ts";
import { type LearningsView, viewLearnings } from "./learnings.store.ts";
import { type RunStatistics, renderRunLog, runLogMark, runLogName } from "./run-log.rules.ts";

const RUN_LOGS = "team-registry/run-logs";

/**
 * Writes the run's log to team-registry/run-logs in the project and brings the rendered part of LEARNINGS.md up to
 * date; called when a run ends, and again without harm: a run has one log. Its paths are relative to the project.
 * Throws UNAVAILABLE when a file cannot be written.
 */
export async function writeRunLog(
  ctx: OperationContext,
  run: RunRow,
): Promise<{ path: string; text: string; learnings: LearningsView }> {
  const statistics = await runStatistics(ctx, run);
  const text = renderRunLog(statistics);
  const path = await freePath(ctx.config.root, statistics);
  await replaceProjectFile(ctx.config.root, path, text);
  return { path, text, learnings: await viewLearnings(ctx, { write: true }) };
}

/** Another run's log of that name and day is never overwritten. */
async function freePath(root: string, run: RunStatistics): Promise<string> {
  for (let n = 1; ; n += 1) {
    const path = `${RUN_LOGS}/${runLogName(run, n === 1 ? "" : `-${n}`)}.md`;
    const existing = await readProjectFile(root, path);
    if (!existing || existing.toString("utf8").startsWith(runLogMark(run.key))) return path;
  }
}

/** Counts from the store alone: nobody reports what he did. */
async function runStatistics(ctx: OperationContext, run: RunRow): Promise<RunStatistics> {
  const { db } = ctx;
  const endedAt = Number(run.ended_at ?? ctx.now);
  const window = { from: Number(run.started_at), to: endedAt, sessions: await sessionsOf(db, run) };
  const counts = await eventCounts(db, window);
  const created = await subjectsOf(db, window, "task.created");
  const spawns = await spawnsOf(db, run);
  const closed = await subjectsOf(db, window, "task.closed");
  const units = await unitsOf(db, run);
  const planned = units.map(({ key }) => key);
  const named = spawns.flatMap(({ task }) => (task === null ? [] : [task]));
  const tasks = await tasksOf(db, [...new Set([...created, ...planned, ...named, ...closed])]);
  const declared = ctx.config.teams.map(({ id }) => id);
  const teams = declared.filter((id) => tasks.some((task) => task.team === id));
  return {
    key: run.key,
    name: run.name,
    level: run.level,
    mode: run.mode,
    verdict: run.verdict,
    teams: teams.length > 0 ? teams : declared.slice(0, 1),
    startedAt: window.from,
    endedAt,
    isOpen: run.ended_at === null,
    note: run.end_note,
    tasks,
    created: created.length,
    spawns,
    acknowledged: run.spawn_ack,
    estimateMicroUsd: spawns.reduce((sum, { cost }) => sum + cost, 0),
    messages: counts.find(({ type }) => type === "message.sent")?.n ?? 0,
    gates: await gatesOf(db, run),
    units: units.map(({ title, phase, attempt, stage, commit_sha, files }) => ({
      title,
      phase,
      attempts: attempt,
      stage,
      commit: commit_sha,
      files: JSON.parse(files ?? "[]") as string[], // written by validation only
    })),
    events: counts.filter(({ type }) => !/^(task|agent|claim|knowledge|spawn|message\.sent|run\.spawned)\b/.test(type)),
    learned: await learnedIn(db, run),
  };
}

interface Window {
  readonly from: number;
  readonly to: number;
  readonly sessions: readonly string[];
}

/** The session it was started in and those that took it over. */
async function sessionsOf(db: Kysely<Database>, run: RunRow): Promise<string[]> {
  const rows = await db
    .selectFrom("event")
    .select(["session", "actor", "before", "after"])
    .where("subject", "=", run.key)
    .where("type", "in", ["run.started", "run.adopted"])
    .execute();
  const leads = rows.flatMap((row) => [
    textOf(parseRecord(row.before ?? "").lead),
    textOf(parseRecord(row.after ?? "").lead),
    row.actor,
  ]);
  const sessions = [...leads, run.lead].flatMap((lead) => (lead.startsWith("lead:") ? [lead.slice(5)] : []));
  return [...new Set([...sessions, ...(run.session === null ? [] : [run.session])])];
}

function eventsIn(db: Kysely<Database>, { from, to, sessions }: Window) {
  // what the guard records itself has no session, but a subject
  return db
    .selectFrom("event")
    .where("at", ">=", from)
    .where("at", "<=", to)
    .where((e) =>
      e.or([e("session", "in", sessions.length > 0 ? [...sessions] : [""]), e("actor_kind", "=", "service")]),
    );
}

async function eventCounts(db: Kysely<Database>, window: Window): Promise<{ type: string; n: number }[]> {
  const rows = await eventsIn(db, window)
    .select(["type", sql<number>`count(*)`.as("n")])
    .groupBy("type")
    .orderBy("type")
    .execute();
  return rows.map(({ type, n }) => ({ type, n: Number(n) }));
}

async function subjectsOf(db: Kysely<Database>, window: Window, type: string): Promise<string[]> {
  const rows = await eventsIn(db, window)
    .select("subject")
    .where("type", "=", type)
    .where("actor_kind", "!=", "service")
    .orderBy("seq")
    .limit(2000)
    .execute();
  return [...new Set(rows.flatMap(({ subject }) => (subject === null ? [] : [subject])))];
}

async function tasksOf(db: Kysely<Database>, keys: readonly string[]) {
  if (keys.length === 0) return [];
  return db
    .selectFrom("task")
    .select(["key", "title", "status", "outcome", "team"])
    .where("key", "in", keys.slice(0, 2000))
    .orderBy("id")
    .execute();
}

async function spawnsOf(db: Kysely<Database>, run: RunRow) {
  const rows = await db
    .selectFrom("run_spawn")
    .leftJoin("spawn_plan", "spawn_plan.id", "run_spawn.plan_id")
    .select(["run_spawn.task_key", "run_spawn.model", "spawn_plan.cost_micro_usd", "spawn_plan.scores"])
    .where("run_spawn.run_id", "=", run.id)
    .orderBy("run_spawn.id")
    .execute();
  const logged = await db
    .selectFrom("event")
    .select("after")
    .where("subject", "=", run.key)
    .where("type", "=", "run.spawned")
    .orderBy("seq")
    .execute();
  return rows.map((row, index) => {
    const after = parseRecord(logged[index]?.after ?? "");
    return {
      n: index + 1,
      task: row.task_key,
      model: row.model,
      log: isRecord(after) && textOf(after.log) !== "" ? textOf(after.log) : null,
      cost: Number(row.cost_micro_usd ?? 0),
      scores: JSON.parse(row.scores ?? "{}") as Record<string, number>, // written by insertPlan only
    };
  });
}

async function unitsOf(db: Kysely<Database>, run: RunRow) {
  return db
    .selectFrom("unit")
    .innerJoin("task", "task.id", "unit.task_id")
    .select(["unit.title", "unit.phase", "unit.attempt", "unit.stage", "unit.commit_sha", "unit.files", "task.key"])
    .where("unit.run_id", "=", run.id)
    .orderBy("unit.id")
    .execute();
}

async function gatesOf(db: Kysely<Database>, run: RunRow) {
  const rows = await db
    .selectFrom("gate_run")
    .innerJoin("unit", "unit.id", "gate_run.unit_id")
    .select(["gate_run.gate", "gate_run.result", "gate_run.duration_ms"])
    .where("unit.run_id", "=", run.id)
    .execute();
  const names = [...new Set(rows.map(({ gate }) => gate))].sort();
  return names.map((gate) => {
    const own = rows.filter((row) => row.gate === gate);
    const passed = own.filter(({ result }) => result === "passed").length;
    const milliseconds = own.reduce((sum, row) => sum + Number(row.duration_ms), 0);
    return { gate, passed, failed: own.length - passed, milliseconds };
  });
}

/** Facts that have the run, or a task of it, as their source and came up while it lasted. */
async function learnedIn(db: Kysely<Database>, run: RunRow) {
  const until = Number(run.ended_at ?? Number.MAX_SAFE_INTEGER);
  const sources = await db
    .selectFrom("knowledge_source")
    .select("knowledge_id")
    .where("at", ">=", Number(run.started_at))
    .where("at", "<=", until)
    .execute();
  const ids = [...new Set(sources.map(({ knowledge_id }) => Number(knowledge_id)))].slice(0, 500);
  if (ids.length === 0) return [];
  return loadFacts(db, (query) => query.where("id", "in", ids).where("scope", "!=", "agent"));
}
