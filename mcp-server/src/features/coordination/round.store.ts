import type { Kysely, Selectable } from "kysely";
import { hint } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { getByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { Part, RoundKind } from "./coordination.rules.ts";
import type { Facts } from "./facts.rules.ts";
import type { Homecoming, Outcome } from "./outcome.rules.ts";
import type { CoordinationRoundTable } from "./round.table.ts";

export type RoundRow = Selectable<CoordinationRoundTable>;

/** What a round keeps of its first three steps. */
export interface Seen extends Facts {
  readonly returned: readonly Homecoming[];
  /** Of an orientation: teams and stories as it is shown them, and whether it assigns. */
  readonly setup?: { readonly text: string; readonly assigns: boolean } | undefined;
}

/** Taken before anything of a round changes: two begin, record or fall back one after the other. */
export async function lockRounds(ctx: OperationContext): Promise<void> {
  await ctx.dialect.lockName(ctx.db, "coordination");
}

export async function insertRound(
  ctx: OperationContext,
  draft: { kind: RoundKind; sprint: number; stepId: number | undefined; deadline: number | undefined; seen: Seen },
): Promise<RoundRow> {
  const row = await ctx.db
    .insertInto("coordination_round")
    .values({
      key: ctx.newKey("co"),
      kind: draft.kind,
      sprint: draft.sprint,
      status: "open",
      session: ctx.principal.session ?? null,
      opened_by: ctx.principal.key,
      opened_at: ctx.now,
      step_id: draft.stepId ?? null,
      deadline: draft.deadline ?? null,
      facts: JSON.stringify(draft.seen),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const after = { kind: draft.kind, sprint: draft.sprint, ...(draft.deadline ? { deadline: draft.deadline } : {}) };
  ctx.record({ type: "coordination.begun", subject: row.key, after });
  return row;
}

export async function changeRound(
  ctx: OperationContext,
  row: RoundRow,
  change: Partial<Omit<RoundRow, "id" | "key">>,
): Promise<RoundRow> {
  await ctx.db.updateTable("coordination_round").set(change).where("id", "=", row.id).execute();
  return { ...row, ...change };
}

export async function roundOf(db: Kysely<Database>, kind: RoundKind, sprint: number): Promise<RoundRow | undefined> {
  return db
    .selectFrom("coordination_round")
    .selectAll()
    .where("kind", "=", kind)
    .where("sprint", "=", sprint)
    .executeTakeFirst();
}

/** A round by its id or a start of it. Throws NOT_FOUND with where rounds are shown. */
export async function getRound(db: Kysely<Database>, ref: string): Promise<RoundRow> {
  const list = hint("coordination_show", "lists them");
  return getByCutKey(db, "coordination_round", { ref: ref.trim(), noun: "round of coordination", list }, (key) =>
    db.selectFrom("coordination_round").selectAll().where("key", "=", key).executeTakeFirst(),
  );
}

/** Rounds that await somebody's word, oldest first. */
export async function openRounds(db: Kysely<Database>): Promise<RoundRow[]> {
  return open.all(db, {});
}

const open = prepared((db) =>
  db.selectFrom("coordination_round").selectAll().where("ended_at", "is", null).orderBy("id"),
);

/** The newest first. */
export async function listRounds(db: Kysely<Database>, limit: number): Promise<RoundRow[]> {
  return db.selectFrom("coordination_round").selectAll().orderBy("id", "desc").limit(limit).execute();
}

/**
 * What the round before one of this kind has seen, and when: a full one sums up since the last full one, a check-in
 * tells what is new. Undefined before the first.
 */
export async function lastSeen(
  db: Kysely<Database>,
  kind: RoundKind,
): Promise<{ at: number; needs: Facts["needs"] } | undefined> {
  const rounds = db.selectFrom("coordination_round").selectAll().limit(1);
  const row = await (kind === "full"
    ? rounds.where("kind", "=", kind).orderBy("sprint", "desc") // as they were held, and in the order of the index
    : rounds.orderBy("id", "desc")
  ).executeTakeFirst();
  return row && { at: Number(row.opened_at), needs: seenOf(row).needs };
}

/** The round and part that an agent was started for: by the Agent call whose prompt was the server's question. */
export async function roundOfAgent(
  db: Kysely<Database>,
  agentId: string,
): Promise<{ row: RoundRow; part: Part } | undefined> {
  const spawn = await callOf.first(db, { agentId });
  if (!spawn) return undefined;
  const row = await ofCall.first(db, { call: spawn.tool_use_id });
  return row && { row, part: row.evaluation_call === spawn.tool_use_id ? "evaluation" : "plan" };
}

const callOf = prepared((db, p: { agentId: string }) =>
  db.selectFrom("spawn").select("tool_use_id").where("agent_id", "=", p.agentId).orderBy("id", "desc"),
);

const ofCall = prepared((db, p: { call: string }) =>
  db
    .selectFrom("coordination_round")
    .selectAll()
    .where((e) => e.or([e("evaluation_call", "=", p.call), e("plan_call", "=", p.call)])),
);

/** True when the client has started this agent: who it is then follows from that call. */
export async function wasSpawned(db: Kysely<Database>, agentId: string): Promise<boolean> {
  return (await callOf.first(db, { agentId })) !== undefined;
}

/** Rounds of a session whose lead has not heard what came of them. */
export async function untoldRounds(db: Kysely<Database>, session: string): Promise<RoundRow[]> {
  const rows = await untold.all(db, { session });
  return rows.filter((row) => row.ended_at !== null);
}

const untold = prepared((db, p: { session: string }) =>
  db
    .selectFrom("coordination_round")
    .selectAll()
    .where("session", "=", p.session)
    .where("told_at", "is", null)
    .orderBy("id"),
);

export function seenOf(row: RoundRow): Seen {
  return JSON.parse(row.facts) as Seen; // written by insertRound only
}

export function outcomeOf(row: RoundRow): Outcome | undefined {
  return row.outcome === null ? undefined : (JSON.parse(row.outcome) as Outcome); // written by round-end.store.ts only
}
