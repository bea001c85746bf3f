import type { Kysely, Selectable } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { storable } from "../../kernel/storable.ts";
import type { Database } from "../../store/database.ts";
import { type ClientState, type Difference, differenceOf } from "./bridge.rules.ts";
import type { ClientTaskTable } from "./bridge.table.ts";

export type ClientTaskRow = Selectable<ClientTaskTable>;

/** A task of a client's list: the list is the session's. */
export interface ClientTaskRef {
  readonly session: string;
  readonly clientId: string;
}

export interface SeenClientTask extends ClientTaskRef {
  readonly subject: string;
  readonly description?: string | undefined;
  readonly wanted?: string | undefined;
  readonly state: ClientState;
}

export async function findClientTask(
  db: Kysely<Database>,
  { session, clientId }: ClientTaskRef,
): Promise<ClientTaskRow | undefined> {
  return db
    .selectFrom("client_task")
    .selectAll()
    .where("session", "=", session)
    .where("client_id", "=", clientId)
    .executeTakeFirst();
}

/** One at a time links, creates and completes; two sessions may tidy up the same row. */
export async function lockBridge(ctx: OperationContext): Promise<void> {
  await ctx.dialect.lockName(ctx.db, "bridge");
}

/** The row of a client task, made at first sight; a number that the client gives out again begins anew (BD-07). */
export async function meetClientTask(
  ctx: OperationContext,
  seen: SeenClientTask,
  principal: Principal,
): Promise<ClientTaskRow> {
  const subject = storable(seen.subject);
  const fresh = {
    subject,
    description: seen.description === undefined ? null : storable(seen.description).slice(0, 200_000) || null,
    wanted: seen.wanted ?? null,
    task_key: null,
    origin: null,
    state: seen.state,
    created_by: principal.key,
    creator_name: principal.name,
    creator_team: principal.team ?? null,
    completed_by: null,
    told_at: null,
    created_at: ctx.now,
    updated_at: ctx.now,
  };
  const known = await findClientTask(ctx.db, seen);
  if (!known) {
    return ctx.db
      .insertInto("client_task")
      .values({ ...fresh, session: seen.session, client_id: seen.clientId })
      .returningAll()
      .executeTakeFirstOrThrow();
  }
  const isOver = known.state === "completed" || known.state === "deleted";
  if (seen.state !== "creating" || !isOver || known.subject === subject) return known;
  ctx.record({
    type: "bridge.number_reused",
    subject: known.task_key ?? undefined,
    before: { client: known.client_id },
  });
  return changeClientTask(ctx, known, fresh);
}

/** Writes what differs. A task that is at work again may be told of again. */
export async function changeClientTask(
  ctx: OperationContext,
  row: ClientTaskRow,
  change: Partial<Omit<ClientTaskRow, "id" | "session" | "client_id">>,
): Promise<ClientTaskRow> {
  const reopened = change.state !== undefined && change.state !== row.state && isOpenState(change.state);
  const wanted = { ...change, ...(reopened && change.told_at === undefined ? { told_at: null } : {}) };
  const differs = Object.entries(wanted).some(([name, value]) => row[name as keyof ClientTaskRow] !== value);
  if (!differs) return row;
  const next = { ...row, ...wanted, updated_at: ctx.now };
  const { id, session: _, client_id: __, ...columns } = next;
  await ctx.db.updateTable("client_task").set(columns).where("id", "=", id).execute();
  if (next.state !== row.state) {
    ctx.record({
      type: "bridge.state",
      subject: next.task_key ?? undefined,
      before: { client: row.client_id, state: row.state },
      after: { client: row.client_id, state: next.state },
    });
  }
  return next;
}

function isOpenState(state: string): boolean {
  return state === "pending" || state === "in_progress";
}

/** Rows the client made and we never finished: their session ended between the two steps. */
export async function unlinkedBefore(db: Kysely<Database>, before: number): Promise<ClientTaskRow[]> {
  return db
    .selectFrom("client_task")
    .selectAll()
    .where("task_key", "is", null)
    .where("created_at", "<=", before)
    .where("state", "!=", "deleted")
    .orderBy("id")
    .limit(20)
    .execute();
}

/** Open in a session's list although the durable task is closed, and not told yet. */
export async function untoldOf(db: Kysely<Database>, session: string): Promise<ClientTaskRow[]> {
  return db
    .selectFrom("client_task")
    .innerJoin("task", "task.key", "client_task.task_key")
    .selectAll("client_task")
    .where("client_task.session", "=", session)
    .where("client_task.state", "in", ["creating", "pending", "in_progress", "completing"])
    .where("client_task.told_at", "is", null)
    .where("task.status", "=", "closed")
    .orderBy("client_task.id")
    .limit(20)
    .execute();
}

export async function openOfSession(db: Kysely<Database>, session: string): Promise<ClientTaskRow[]> {
  return db
    .selectFrom("client_task")
    .selectAll()
    .where("session", "=", session)
    .where("state", "in", ["creating", "pending", "in_progress", "completing"])
    .orderBy("id")
    .limit(1000)
    .execute();
}

export interface Pair {
  readonly row: ClientTaskRow;
  readonly status: string | null;
  readonly difference: Difference | undefined;
}

export interface PairFilter {
  /** Only this session's; all of them without. */
  readonly session?: string | undefined;
  readonly team?: string | undefined;
  readonly onlyDifferent: boolean;
  /** Leaves out the lists of other sessions where nothing here is unfinished. */
  readonly unfinishedHere?: string | undefined;
  readonly limit: number;
}

/** Client tasks with the durable tasks they stand for, newest first. */
export async function pairsOf(db: Kysely<Database>, filter: PairFilter): Promise<{ pairs: Pair[]; total: number }> {
  let query = db.selectFrom("client_task").leftJoin("task", "task.key", "client_task.task_key");
  const { session, team, unfinishedHere } = filter;
  if (session !== undefined) query = query.where("client_task.session", "=", session);
  if (team !== undefined) query = query.where("task.team", "=", team);
  if (filter.onlyDifferent) {
    query = query.where((e) =>
      e.or([
        e.and([e("task.status", "is", null), e("client_task.state", "!=", "deleted")]),
        e.and([e("task.status", "=", "closed"), e("client_task.state", "not in", ["completed", "deleted"])]),
        e.and([e("task.status", "!=", "closed"), e("client_task.state", "in", ["completed", "completing"])]),
        e.and([
          e("task.status", "!=", "closed"),
          e("client_task.state", "=", "deleted"),
          e("client_task.origin", "=", "created"),
        ]),
      ]),
    );
  }
  if (unfinishedHere !== undefined) {
    query = query.where((e) =>
      e.or([
        e("client_task.session", "=", unfinishedHere),
        e("task.status", "is", null),
        e.and([e("task.status", "!=", "closed"), e("client_task.state", "in", ["completed", "completing"])]),
      ]),
    );
  }
  const { n } = await query.select((e) => e.fn.countAll<number>().as("n")).executeTakeFirstOrThrow();
  const rows = await query
    .selectAll("client_task")
    .select("task.status as task_status")
    .orderBy("client_task.id", "desc")
    .limit(filter.limit)
    .execute();
  const pairs = rows.map(({ task_status: status, ...row }) => ({
    row,
    status,
    difference: differenceOf({ state: row.state, origin: row.origin, status }),
  }));
  return { pairs, total: Number(n) };
}

/** Tasks of the session's open units that the client's list does not have. */
export async function missingThere(
  db: Kysely<Database>,
  session: string | undefined,
): Promise<{ key: string; title: string }[]> {
  let query = db
    .selectFrom("unit")
    .innerJoin("run", "run.id", "unit.run_id")
    .innerJoin("task", "task.id", "unit.task_id")
    .select(["task.key", "task.title"])
    .where("run.ended_at", "is", null)
    .where("unit.phase", "not in", ["done", "abandoned"])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("client_task")
            .select("client_task.id")
            .whereRef("client_task.task_key", "=", "task.key")
            .where("client_task.state", "!=", "deleted"),
        ),
      ),
    );
  if (session !== undefined) query = query.where("run.session", "=", session);
  return query.orderBy("unit.stage").orderBy("unit.id").limit(50).execute();
}
