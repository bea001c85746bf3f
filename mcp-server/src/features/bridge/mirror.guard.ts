import { TeamwrightError } from "../../kernel/errors.ts";
import type { GuardContext, GuardRule, HookCall, Verdict } from "../../kernel/guard-rule.ts";
import type { Principal } from "../../kernel/principal.ts";
import { isRecord, textOf } from "../../kernel/records.ts";
import { clientState, wantedIn } from "./bridge.rules.ts";
import {
  type ClientTaskRow,
  changeClientTask,
  findClientTask,
  meetClientTask,
  openOfSession,
  unlinkedBefore,
  untoldOf,
} from "./bridge.store.ts";
import { isOn, writeAs } from "./bridge-call.ts";
import { applyCompletion } from "./complete.store.ts";
import { linkClientTask, relinkClientTask } from "./link.store.ts";

/** A creation whose second step has not come by then is made up for. */
const STALE_MS = 60_000;
const MOST_PENDING = 1000;

/** What the call before the client's own event said: that event names neither the agent nor the metadata. */
interface Announced {
  readonly principal: Principal;
  readonly wanted: string | undefined;
}

/**
 * Keeps the client's list and the durable tasks together, both ways: what is made there is linked or created here, what
 * is completed there is closed or handed in here, and the lead hears which of its list can be completed (BD-02, BD-07).
 * Refuses nothing; each step may be repeated, and one that was missed is made up for at the next.
 */
export function mirrorGuard(): GuardRule {
  const announced = new Map<string, Announced[]>();
  return {
    name: "client-tasks",
    promise: "With the bridge on, every task of the client's list has its durable task, once, also after a crash.",
    failsClosed: false,
    beforeTool: {
      tools: /^TaskCreate$/,
      async decide(ctx) {
        if (!isOn(ctx)) return undefined;
        const { call, principal } = ctx;
        if (announced.size >= MOST_PENDING) announced.clear();
        const key = announceKey(call, textOf(call.toolInput.subject));
        announced.set(key, [...(announced.get(key) ?? []), { principal, wanted: wantedIn(call.toolInput.metadata) }]);
        return undefined;
      },
    },
    async clientTask(ctx) {
      const { call } = ctx;
      if (!isOn(ctx) || call.event !== "TaskCreated" || call.taskId === "") return undefined;
      const made = announced.get(announceKey(call, call.taskSubject)) ?? [];
      // of two calls with one subject nobody can tell which this is: the hook after the call says
      const [only] = made.length === 1 ? made : [];
      const principal = only?.principal ?? ctx.principal;
      await writeAs(ctx, principal, "bridge_create", (trx) =>
        meetClientTask(trx, { ...seenBy(call), wanted: only?.wanted, state: "creating" }, principal),
      );
      return undefined;
    },
    afterTool: {
      tools: /^(?:TaskCreate|TaskUpdate|TaskList|mcp__plugin_teamwright_teamwright__(?:task_close|unit_commit))$/,
      async decide(ctx) {
        if (!isOn(ctx)) return undefined;
        switch (ctx.call.toolName) {
          case "TaskCreate":
            announced.delete(announceKey(ctx.call, textOf(ctx.call.toolInput.subject)));
            return created(ctx);
          case "TaskUpdate":
            return updated(ctx);
          case "TaskList":
            return listed(ctx);
          default:
            return notices(ctx);
        }
      },
    },
    async prompt(ctx) {
      if (!isOn(ctx)) return undefined;
      await makeUp(ctx);
      return notices(ctx);
    },
  };
}

function announceKey({ session }: HookCall, subject: string): string {
  return JSON.stringify([session, subject]);
}

function seenBy(call: HookCall) {
  return {
    session: call.session,
    clientId: call.taskId,
    subject: call.taskSubject,
    description: call.taskDescription,
  };
}

async function created(ctx: GuardContext): Promise<Verdict | undefined> {
  const { call, principal } = ctx;
  const task = isRecord(call.toolResponse.task) ? call.toolResponse.task : {};
  const clientId = textOf(task.id);
  if (clientId === "") return undefined;
  const seen = {
    session: call.session,
    clientId,
    subject: textOf(call.toolInput.subject) || textOf(task.subject),
    description: textOf(call.toolInput.description),
    wanted: wantedIn(call.toolInput.metadata),
    state: "creating" as const,
  };
  const { row, isNew } = await writeAs(ctx, principal, "bridge_create", async (trx) => {
    const met = await meetClientTask(trx, seen, principal);
    const named =
      met.task_key !== null
        ? met
        : await changeClientTask(trx, met, {
            wanted: seen.wanted ?? met.wanted,
            created_by: principal.key,
            creator_name: principal.name,
            creator_team: principal.team ?? null,
          });
    const linked = await linkClientTask(trx, named);
    const state = linked.state === "creating" ? "pending" : linked.state;
    return { row: await changeClientTask(trx, linked, { state }), isNew: met.task_key === null };
  });
  if (!isNew || row.task_key === null) return undefined;
  const what = row.origin === "created" ? "is kept as" : "stands for";
  return { context: `Client task #${clientId} ${what} ${row.task_key}: task_claim takes it before it is worked on.` };
}

async function updated(ctx: GuardContext): Promise<Verdict | undefined> {
  const { call, principal } = ctx;
  const { toolInput: input, toolResponse: answer } = call;
  const clientId = textOf(answer.taskId) || textOf(input.taskId);
  if (clientId === "" || answer.success === false) return undefined;
  const change = isRecord(answer.statusChange) ? answer.statusChange : {};
  const state = clientState(change.to);
  const wanted = wantedIn(input.metadata);
  const subject = textOf(input.subject);
  const row = await writeAs(ctx, principal, "bridge_update", async (trx) => {
    const known = await findClientTask(trx.db, { session: call.session, clientId });
    if (!known) return undefined;
    const renamed = subject === "" ? known : await changeClientTask(trx, known, { subject });
    const named = wanted === undefined ? renamed : await relinkClientTask(trx, renamed, wanted);
    const linked = state === "deleted" ? named : await linkClientTask(trx, named);
    if (state === undefined) return linked;
    return changeClientTask(trx, linked, {
      state,
      ...(state === "completed" ? { completed_by: principal.key } : {}),
    });
  });
  return row && state === "completed" ? complete(ctx, row) : undefined;
}

/** A step of its own: that it was completed there is kept even where it cannot be followed here. */
async function complete(ctx: GuardContext, row: ClientTaskRow): Promise<Verdict | undefined> {
  try {
    const { principal } = ctx;
    const completion = await writeAs(ctx, principal, "bridge_complete", (trx) => applyCompletion(trx, row, principal));
    if (completion.outcome === "close") return { context: `${row.task_key} is closed as done.` };
    if (completion.outcome === "review") return { context: `${row.task_key} is handed in; the lead closes it.` };
    if (completion.outcome !== "refused") return undefined;
    return { context: `Client task #${row.client_id} is completed and ${row.task_key} is not: ${completion.reason}` };
  } catch (error) {
    if (!(error instanceof TeamwrightError)) throw error;
    return { context: `Client task #${row.client_id} is completed and ${row.task_key} is not: ${error.message}` };
  }
}

/** The whole list as the client has it: what was missed is put right (BD-07). */
async function listed(ctx: GuardContext): Promise<Verdict | undefined> {
  const { call, principal } = ctx;
  const { tasks } = call.toolResponse;
  if (!Array.isArray(tasks)) return undefined;
  const shown = tasks.filter(isRecord).map((task) => ({
    clientId: textOf(task.id),
    subject: textOf(task.subject),
    state: clientState(task.status),
  }));
  await writeAs(ctx, principal, "bridge_reconcile", async (trx) => {
    const { session } = call;
    for (const { clientId, subject, state } of shown) {
      if (clientId === "" || state === undefined) continue;
      const known = await findClientTask(trx.db, { session, clientId });
      if (!known && state === "completed") continue;
      const row = known ?? (await meetClientTask(trx, { session, clientId, subject, state }, principal));
      await changeClientTask(trx, await linkClientTask(trx, row), { state });
    }
    const there = new Set(shown.map(({ clientId }) => clientId));
    for (const row of await openOfSession(trx.db, session)) {
      const isSettled = trx.now - Number(row.created_at) > STALE_MS;
      if (isSettled && !there.has(row.client_id)) await changeClientTask(trx, row, { state: "deleted" });
    }
  });
  return notices(ctx);
}

/** Links what a session that ended between the two steps has left. */
async function makeUp(ctx: GuardContext): Promise<void> {
  const { runtime, principal } = ctx;
  const before = runtime.now() - STALE_MS;
  if ((await unlinkedBefore(runtime.store.db, before)).length === 0) return;
  await writeAs(ctx, principal, "bridge_reconcile", async (trx) => {
    for (const row of await unlinkedBefore(trx.db, before)) await linkClientTask(trx, row);
  });
}

/** The server cannot call the client's tools: the lead is told, once, what it may complete. */
async function notices(ctx: GuardContext): Promise<Verdict | undefined> {
  const { call, principal, runtime } = ctx;
  if (call.agentId !== "" || (await untoldOf(runtime.store.db, call.session)).length === 0) return undefined;
  const rows = await writeAs(ctx, principal, "bridge_notice", async (trx) => {
    const untold = await untoldOf(trx.db, call.session);
    for (const row of untold) await changeClientTask(trx, row, { told_at: trx.now });
    return untold;
  });
  if (rows.length === 0) return undefined;
  const names = rows.map((row) => `#${row.client_id} (${row.task_key})`).join(", ");
  const one = rows.length === 1;
  return {
    context: `Closed here: client task${one ? "" : "s"} ${names} can be completed with TaskUpdate.`,
  };
}
