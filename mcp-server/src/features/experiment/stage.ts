import type { ProjectConfig } from "../../config/config.schema.ts";
import { type ErrorCode, TeamwrightError } from "../../kernel/errors.ts";
import { execute, inTransaction, type Runtime } from "../../kernel/execute.ts";
import type { FilePort, Operation, OperationContext } from "../../kernel/operation.ts";
import { type Principal, systemPrincipal } from "../../kernel/principal.ts";
import type { Store } from "../../store/dialect-port.ts";
import { agentPrincipal, confirmSpawn, findAgent, noteSpawn, setAgent } from "../agent/agent.store.ts";
import { dropClaim, heldBy } from "../task/claim.store.ts";
import { randomStream } from "./random.rules.ts";
import { boundTable } from "./table.ts";

const SESSION = "experiment";
/** Stands in the trail where a live process has a random name. */
const REPLICA = "simulated";

/** Whatever an operation answers; each caller knows the shape of the one it has called. */
// biome-ignore lint/suspicious/noExplicitAny: the shapes are the operations' own
export type Answer = any;

/** The team of teams' own lead, who opens sprints and distributes: a session without agents' rules. */
export const lead: Principal = { kind: "lead", key: `lead:${SESSION}`, name: "lead", session: SESSION };

/** Where simulated agents act: the operations live agents use, on a clock of its own (requirement EX-05). */
export interface Stage {
  readonly runtime: Runtime;
  readonly config: ProjectConfig;
  /** Simulated UTC ms. */
  readonly clock: { now: number };
  /** Runs an operation and gives its answer; a refusal is thrown. */
  must(who: Principal, operation: string, input?: Record<string, unknown>, files?: FilePort): Promise<Answer>;
  /** The same for what may be refused: undefined then, and `refused` is told. */
  may(who: Principal, operation: string, input?: Record<string, unknown>): Promise<Answer | undefined>;
  /** What `may` was refused last. */
  lastRefusal(): TeamwrightError | undefined;
  inside<T>(work: (ctx: OperationContext) => Promise<T>): Promise<T>;
}

export interface StageOptions {
  readonly store: Store;
  readonly config: ProjectConfig;
  readonly clock: { now: number };
  readonly seed: number;
  readonly sprint: number;
}

export function openStage(options: StageOptions): Stage {
  const table = boundTable();
  const { store, config, clock } = options;
  const ids = randomStream(options.seed, "ids", options.sprint);
  const runtime: Runtime = {
    store,
    config,
    hooks: table.hooks(REPLICA, "strict"),
    now: () => clock.now,
    random: (bytes) => ids.bytes(bytes),
  };
  const named = (name: string): Operation => {
    const found = table.find(name);
    if (found) return found;
    throw new Error(`no operation ${name}`);
  };
  let refusal: TeamwrightError | undefined;
  const must: Stage["must"] = (who, operation, input = {}, files = undefined) =>
    execute(runtime, named(operation), input, { principal: who, ...(files ? { files } : {}) });
  return {
    runtime,
    config,
    clock,
    must,
    may: async (who, operation, input) => {
      try {
        return await must(who, operation, input);
      } catch (error) {
        if (!(error instanceof TeamwrightError) || !expected.includes(error.code)) throw error;
        refusal = error;
        return undefined;
      }
    },
    lastRefusal: () => refusal,
    inside: (work) => inTransaction(runtime, { principal: systemPrincipal }, "experiment_run", work),
  };
}

/** What rules answer in the ordinary course of work; anything else is a fault of the simulation. */
const expected: readonly ErrorCode[] = ["OVER_LIMIT", "CONFLICT", "BLOCKED", "RULE_VIOLATED", "FORBIDDEN"];

/** Who coordinates: an agent of no team, known by its role and its name (requirement C-22). */
export function coordinator(id: string, role: string): Principal {
  return { kind: "agent", key: `agent:${id}`, name: id, agentId: id, session: SESSION, role };
}

/** Starts an agent the way the guard records one. */
export async function spawnAgent(stage: Stage, id: string, role: string): Promise<void> {
  await stage.inside(async (ctx) => {
    const call = `spawn:${id}`;
    await noteSpawn(ctx, {
      session: SESSION,
      tool_use_id: call,
      parent_agent_id: null,
      name: id,
      subagent_type: role,
      task_key: null,
      worktree: 0,
    });
    await confirmSpawn(ctx, SESSION, call, id);
  });
}

/** Who an agent is now: a loan changes its team. Undefined when it has left. */
export async function principalOf(stage: Stage, id: string): Promise<Principal | undefined> {
  const row = await findAgent(stage.runtime.store.db, id);
  return row && row.ended_at === null ? agentPrincipal(row) : undefined;
}

/** Ends an agent as the guard does when one stops for good: what it holds comes free. */
export async function endAgent(stage: Stage, id: string, reason: string): Promise<void> {
  await stage.inside(async (ctx) => {
    for (const task of await heldBy(ctx.db, `agent:${id}`)) await dropClaim(ctx, task, "claim.released", reason);
    await setAgent(ctx, id, { ended_at: ctx.now, end_reason: reason });
  });
}
