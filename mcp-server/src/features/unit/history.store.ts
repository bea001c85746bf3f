import type { Kysely } from "kysely";
import { type Commit, commitsBeyond, commitsNamed, headsOf, isPlainMerge } from "../../kernel/git-heads.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import { isRecord, textOf } from "../../kernel/records.ts";
import type { Database } from "../../store/database.ts";
import { raiseEscalation } from "../escalation/escalation.store.ts";
import { insertMessage } from "../message/message.store.ts";
import { getRunById, type RunRow } from "../run/run.store.ts";
import { type Move, short } from "./history.rules.ts";
import type { UnitRow } from "./unit.store.ts";
import type { KnownCommits } from "./unit-tree.ts";

const HISTORY_MOVED = "history.moved";

/** A sighting as its event keeps it. */
export interface StoredMove {
  readonly text: string;
  /** Commits by hand, and commits thrown away. */
  readonly added: readonly string[];
  readonly lost: readonly string[];
  /** Keys of the units that wait for it. */
  readonly units: readonly string[];
  /** Of all that were open then; those that came later wait, too. */
  readonly open: readonly string[];
  /** What the escalation about it goes by. */
  readonly about: string;
}

/** A sighting as it is told. */
export interface ToldMove extends StoredMove {
  readonly session: string;
  readonly agents: readonly string[];
  readonly moves: readonly Move[];
}

/**
 * Event and message to the lead. Where units wait for it, the message is urgent, and an escalation asks a person, who
 * alone can say that a commit was theirs.
 */
export async function tellMove(ctx: OperationContext, run: RunRow, told: ToldMove): Promise<void> {
  const { session, moves, text, agents, units, open, added, lost, about } = told;
  ctx.record({
    type: HISTORY_MOVED,
    subject: run.key,
    before: { at: moves.map(({ ref, from }) => `${ref} ${from}`) },
    after: { at: moves.map(({ ref, to }) => `${ref} ${to}`), agents, text, added, lost, units, open, about },
  });
  const message = {
    sender: systemPrincipal,
    recipient: { name: "lead", key: `lead:${session}` },
    runId: Number(run.id),
  };
  if (units.length === 0) {
    const why = "No command ran that we know of, no open unit's files were touched, and what they stand on is there";
    await insertMessage(ctx, { ...message, kind: "INFO", text: `${text} ${why}: work goes on upon it.` });
    return;
  }
  const until = `Until then ${units.join(", ")} is neither validated nor committed.`;
  const reason = `${text} A person who has done it says so with override; else it is taken back. ${until}`;
  const where = { scope: about, unitKey: null, taskKey: null, runId: Number(run.id) };
  const { key } = await raiseEscalation(ctx, { ...where, operation: "gate", reason, exhausted: true });
  await insertMessage(ctx, {
    ...message,
    kind: "BLOCKER",
    text: `${text} This is what was seen, not who has done it: a person may commit here, too. Have the commit taken back and its changes left, or a person settles ${key} with override. ${until}`,
  });
}

/** What was seen in a run so far. */
export async function movesOf(db: Kysely<Database>, runKey: string): Promise<StoredMove[]> {
  const rows = await db
    .selectFrom("event")
    .select("after")
    .where("subject", "=", runKey)
    .where("type", "=", HISTORY_MOVED)
    .orderBy("seq")
    .execute();
  return rows.map(({ after }) => storedMove(JSON.parse(after ?? "{}")));
}

function storedMove(value: unknown): StoredMove {
  const row = isRecord(value) ? value : {};
  const list = (member: unknown) => (Array.isArray(member) ? member.map(textOf) : []);
  return {
    text: textOf(row.text),
    added: list(row.added),
    lost: list(row.lost),
    units: list(row.units),
    open: list(row.open),
    about: textOf(row.about),
  };
}

/** Which of these commits are those of a unit, made by unit_commit. */
export async function unitCommitsAmong(db: Kysely<Database>, commits: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (let start = 0; start < commits.length; start += 500) {
    const rows = await db
      .selectFrom("unit")
      .select("commit_sha")
      .where("commit_sha", "in", commits.slice(start, start + 500))
      .execute();
    for (const { commit_sha } of rows) if (commit_sha !== null) found.add(commit_sha);
  }
  return found;
}

/**
 * Which of these are neither a unit's commit nor the merge that brings one into the project's branch and nothing else.
 * `own`: a commit of a unit that is not written down yet.
 */
export async function foreignAmong(
  db: Kysely<Database>,
  root: string,
  commits: readonly Commit[],
  own?: string,
): Promise<string[]> {
  const ours = await unitCommitsAmong(db, [...new Set(commits.flatMap(({ commit, parents }) => [commit, ...parents]))]);
  if (own !== undefined) ours.add(own);
  const foreign: string[] = [];
  for (const each of commits) if (!(await isOurs(root, each, ours))) foreign.push(each.commit);
  return foreign;
}

async function isOurs(root: string, each: Commit, ours: ReadonlySet<string>): Promise<boolean> {
  if (ours.has(each.commit)) return true;
  const [, second, third] = each.parents;
  return second !== undefined && third === undefined && ours.has(second) && isPlainMerge(root, each);
}

/** Units under way of the tasks that these agents hold, or were started for. */
export async function unitsOfAgents(
  db: Kysely<Database>,
  runId: number,
  agentIds: readonly string[],
): Promise<string[]> {
  if (agentIds.length === 0) return [];
  const rows = await db
    .selectFrom("unit")
    .innerJoin("task", "task.id", "unit.task_id")
    .select("unit.key")
    .where("unit.run_id", "=", runId)
    .where("unit.phase", "not in", ["done", "abandoned"])
    .where((e) =>
      e.or([
        e(
          "task.holder",
          "in",
          agentIds.map((id) => `agent:${id}`),
        ),
        e("task.key", "in", e.selectFrom("agent").select("agent.task_key").where("agent.agent_id", "in", agentIds)),
      ]),
    )
    .orderBy("unit.id")
    .execute();
  return rows.map(({ key }) => key);
}

/**
 * Why a unit passes neither its validation nor its commit: one of its agents was seen where history moved past
 * unit_commit, what was done is not undone, and no person has said that it is right (requirement FP-05). `own`: the
 * unit's commit, where a crash came before its record and the look took it for another's.
 */
export async function historyFault(ctx: OperationContext, unit: UnitRow, own?: string): Promise<string | undefined> {
  const moves = await movesFor(ctx.db, unit);
  const heads = moves.length === 0 ? undefined : await headsOf(ctx.config.root);
  if (!heads) return undefined;
  const tips = [...new Set(heads.values())];
  for (const { text, added, lost, about } of moves) {
    const away = new Set((await commitsBeyond(ctx.config.root, [...added, ...lost], tips)).map(({ commit }) => commit));
    const there = added.filter((commit) => !away.has(commit));
    const [stays] = await foreignAmong(ctx.db, ctx.config.root, await commitsNamed(ctx.config.root, there), own);
    const missing = lost.find((commit) => away.has(commit));
    if (stays === undefined && missing === undefined) continue;
    if (await isTaken(ctx.db, about)) continue;
    const todo =
      stays === undefined
        ? `put ${short(missing ?? "")} back`
        : `take ${short(stays)} back and leave its changes, or have a person say that it is theirs`;
    return `${text} To go on, ${todo} (teamwright escalation list).`;
  }
  return undefined;
}

/** What a unit waits for: to begin anew, in this run or in another, makes nothing right that waits for a person. */
async function movesFor(db: Kysely<Database>, unit: UnitRow): Promise<StoredMove[]> {
  const run = await getRunById(db, Number(unit.run_id));
  const own = (await movesOf(db, run.key)).filter(
    ({ units, open }) => units.includes(unit.key) || (units.length > 0 && !open.includes(unit.key)),
  );
  const rows = await db
    .selectFrom("escalation")
    .innerJoin("run", "run.id", "escalation.run_id")
    .select(["run.key", "escalation.scope"])
    .where("escalation.scope", "like", "history:%")
    .where("escalation.status", "!=", "resolved")
    .where("run.id", "!=", unit.run_id)
    .where("run.ended_at", "is not", null)
    .execute();
  const open = new Set(rows.map(({ scope }) => scope));
  for (const key of new Set(rows.map((row) => row.key)))
    own.push(...(await movesOf(db, key)).filter(({ about, units }) => units.length > 0 && open.has(about)));
  return own;
}

/** What `unreviewedCommit` passes over: units' commits, and those of sightings that a person has settled with override. */
export async function knownCommits(ctx: OperationContext, unit: UnitRow, own?: string): Promise<KnownCommits> {
  const vouched = new Set<string>();
  for (const { added, about } of await movesFor(ctx.db, unit))
    if (await isTaken(ctx.db, about)) for (const commit of added) vouched.add(commit);
  return { own, vouched, ofUnits: (commits) => unitCommitsAmong(ctx.db, commits) };
}

/** True when a person has said that it is right, and nothing has come after; it waits for a person alone. */
export async function isTaken(db: Kysely<Database>, about: string): Promise<boolean> {
  const row = await db
    .selectFrom("escalation")
    .select(["decision", "status"])
    .where("scope", "=", about)
    .where("level", "=", "human")
    .orderBy("id", "desc")
    .executeTakeFirst();
  return row?.status === "resolved" && row.decision === "override";
}
