import { parseRecord, shellRefusal } from "../../features/agent/agent.rules.ts";
import {
  type AgentRow,
  agentPrincipal,
  agentsOfSession,
  confirmSpawn,
  findAgent,
  meetAgent,
  noteSpawn,
  openTaskIn,
  setAgent,
} from "../../features/agent/agent.store.ts";
import { findOperation } from "../../features/index.ts";
import { dropClaim, freeClaims, heldBy } from "../../features/task/claim.store.ts";
import { lockTaskById } from "../../features/task/task.store.ts";
import { inTransaction, type Runtime } from "../../kernel/execute.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { type Principal, systemPrincipal } from "../../kernel/principal.ts";
import { textOf } from "../../kernel/records.ts";
import { keepLeases } from "./leases.ts";
import { spawnBrief } from "./spawn-brief.ts";
import { spawnCallOf } from "./spawn-record.ts";

/** What the client's hook reads: a decision on a tool call, context for an agent, or being sent back to work. */
export type Decision = Record<string, unknown> | undefined;

/** The hook's input as strings: the client renders objects as JSON text and what is missing as "". */
export interface HookCall {
  readonly event: string;
  readonly session: string;
  readonly agentId: string;
  readonly agentType: string;
  readonly toolName: string;
  readonly toolUseId: string;
  readonly toolInput: Record<string, unknown>;
  readonly toolResponse: Record<string, unknown>;
  readonly cwd: string;
  readonly transcript: string;
}

export function readHookCall(input: Record<string, unknown>): HookCall {
  return {
    event: textOf(input.event),
    session: textOf(input.session_id),
    agentId: textOf(input.agent_id),
    agentType: textOf(input.agent_type),
    toolName: textOf(input.tool_name),
    toolUseId: textOf(input.tool_use_id),
    toolInput: parseRecord(textOf(input.tool_input)),
    toolResponse: parseRecord(textOf(input.tool_response)),
    cwd: textOf(input.cwd),
    transcript: textOf(input.transcript_path),
  };
}

const OWN_TOOL = /^mcp__plugin_teamwright_teamwright__(\w+)$/;
const MAX_BINDINGS = 20_000;
const RENEW_EVERY_MS = 10_000;

/**
 * Answers the client's hooks. Identity lives here, in memory: which principal makes which call is decided before the
 * call arrives and used once (design §3). Dormant until a session uses Teamwright: it then only binds.
 */
export class Guard {
  readonly #runtime: Runtime;
  readonly #bindings = new Map<string, { principal: Principal; tool: string }>();
  readonly #agents = new Map<string, Principal>();
  readonly #renewedAt = new Map<string, number>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The principal bound to this call; a binding is good for one call of one tool. */
  take(toolUseId: string, tool: string): Principal | undefined {
    const bound = this.#bindings.get(toolUseId);
    if (bound?.tool !== tool) return undefined;
    this.#bindings.delete(toolUseId);
    return bound.principal;
  }

  async decide(input: Record<string, unknown>): Promise<Decision> {
    const call = readHookCall(input);
    if (call.session === "") return undefined;
    switch (call.event) {
      case "PreToolUse":
        return this.#beforeTool(call);
      case "PostToolUse":
        return this.#afterTool(call);
      case "SubagentStart":
        return this.#agentStarts(call);
      case "SubagentStop":
        return this.#agentStops(call);
      default:
        await this.#renew(await this.#principalOf(call));
        // without an answer the client tells the model "UserPromptSubmit completed" at every prompt
        return call.event === "UserPromptSubmit" ? {} : undefined;
    }
  }

  async #beforeTool(call: HookCall): Promise<Decision> {
    const principal = await this.#principalOf(call);
    const own = OWN_TOOL.exec(call.toolName)?.[1];
    if (own !== undefined && call.toolUseId !== "") {
      if (this.#bindings.size >= MAX_BINDINGS) this.#bindings.clear();
      this.#bindings.set(call.toolUseId, { principal, tool: own });
    }
    await this.#renew(principal);
    if (this.#runtime.config.guard === "off") return undefined;
    if (call.toolName === "Bash") {
      const refusal = shellRefusal(textOf(call.toolInput.command), isReadCommand);
      return refusal === undefined ? undefined : deny(refusal);
    }
    if (/^(Edit|MultiEdit|Write|NotebookEdit)$/.test(call.toolName)) return denyStoreWrite(call);
    if (call.toolName === "Agent" || call.toolName === "Task") await this.#noteSpawn(call);
    return this.#lateBrief(call.agentId);
  }

  /** An agent that nobody could name when it started hears at its first call what the others heard at once. */
  async #lateBrief(agentId: string): Promise<Decision> {
    if (!this.#agents.has(agentId) || !this.#unbriefed.delete(agentId)) return undefined;
    const brief = await this.#write("guard_brief", async (ctx) => {
      const agent = await findAgent(ctx.db, agentId);
      return agent && spawnBrief(ctx, agent);
    });
    return brief === undefined
      ? undefined
      : { hookSpecificOutput: { hookEventName: "PreToolUse", additionalContext: brief } };
  }
  readonly #unbriefed = new Set<string>();

  async #noteSpawn(call: HookCall): Promise<void> {
    await this.#write("guard_spawn", async (ctx) => {
      await noteSpawn(ctx, {
        session: call.session,
        tool_use_id: call.toolUseId,
        parent_agent_id: call.agentId || null,
        name: textOf(call.toolInput.name) || null,
        subagent_type: textOf(call.toolInput.subagent_type) || null,
        task_key: await openTaskIn(ctx.db, `${textOf(call.toolInput.description)}\n${textOf(call.toolInput.prompt)}`),
        worktree: call.toolInput.isolation === "worktree" ? 1 : 0,
      });
    });
  }

  async #afterTool(call: HookCall): Promise<Decision> {
    if (call.toolName === "TaskStop") return this.#agentKilled(call);
    if (call.toolName !== "Agent" && call.toolName !== "Task") return undefined;
    // the oldest client shows a teammate's address here, not its id: such an agent is joined by its name at the start
    const agentId = textOf(call.toolResponse.agentId) || textOf(call.toolResponse.agent_id);
    if (agentId === "" || agentId.includes("@")) return undefined;
    const worktree = textOf(call.toolResponse.worktreePath);
    const row = await this.#write("guard_agent", async (ctx) => {
      const agent = await confirmSpawn(ctx, call.session, call.toolUseId, agentId);
      if (agent && worktree !== "") await setAgent(ctx, agentId, { worktree });
      return agent;
    });
    if (row) this.#remember(row);
    return undefined;
  }

  async #agentStarts(call: HookCall): Promise<Decision> {
    if (call.agentId === "") return undefined;
    const spawnCall = await spawnCallOf(call.transcript, call.agentId);
    const { row, brief } = await this.#write("guard_start", async (ctx) => {
      const agent = await meetAgent(ctx, { ...call, spawnCall });
      if (agent.ended_at !== null) {
        await setAgent(ctx, agent.agent_id, { ended_at: null, end_reason: null, last_seen_at: ctx.now });
        ctx.record({ type: "agent.resumed", subject: agent.agent_id });
      }
      return { row: agent, brief: await spawnBrief(ctx, agent) };
    });
    this.#remember(row);
    if (!this.#agents.has(row.agent_id)) this.#unbriefed.add(row.agent_id);
    if (brief === undefined || this.#runtime.config.guard === "off") return undefined;
    return { hookSpecificOutput: { hookEventName: "SubagentStart", additionalContext: brief } };
  }

  /**
   * An agent that stops while it holds a task is sent back once to hand it in, release or block it; if it stops again
   * its claim comes free, unless it says it is blocked.
   */
  async #agentStops(call: HookCall): Promise<Decision> {
    if (call.agentId === "") return undefined;
    const principal = await this.#principalOf(call);
    const held = (await heldBy(this.#runtime.store.db, principal.key)).filter(
      (task) => task.status === "in_progress" && task.blockedSince === null,
    );
    const stoppedBefore = this.#sentBack.delete(call.agentId);
    if (held.length > 0 && !stoppedBefore && this.#runtime.config.guard === "on") {
      this.#sentBack.add(call.agentId);
      const ids = held.map((task) => task.key).join(", ");
      return {
        decision: "block",
        reason: `You still hold ${ids}. Close it (task_close), hand it in (board_move to review), say what is in the way (task_update with block) or give it back (task_update with release). If you stop now it goes back to the board.`,
      };
    }
    await this.#write("guard_stop", async (ctx) => {
      const agent = await findAgent(ctx.db, call.agentId);
      if (!agent) return;
      await setAgent(ctx, agent.agent_id, { ended_at: ctx.now, end_reason: "stopped", last_seen_at: ctx.now });
      ctx.record({ type: "agent.stopped", subject: agent.agent_id, team: agent.team ?? undefined });
      for (const task of held)
        await dropClaim(ctx, await lockTaskById(ctx, task.id), "claim.freed", "its agent stopped");
    });
    return undefined;
  }

  readonly #sentBack = new Set<string>();

  /** TaskStop fires no SubagentStop for the agent it ends: its own PostToolUse is the only sign. */
  async #agentKilled(call: HookCall): Promise<Decision> {
    const target = textOf(call.toolInput.task_id) || textOf(call.toolResponse.task_id);
    if (target === "") return undefined;
    await this.#write("guard_kill", async (ctx) => {
      const agents = await agentsOfSession(ctx.db, call.session);
      const agent = agents.find((row) => row.agent_id === target) ?? agents.filter((row) => row.name === target).at(-1);
      if (!agent) return;
      await setAgent(ctx, agent.agent_id, { ended_at: ctx.now, end_reason: "killed" });
      ctx.record({ type: "agent.killed", subject: agent.agent_id, team: agent.team ?? undefined });
      await freeClaims(ctx, [`agent:${agent.agent_id}`], "its agent was killed");
    });
    return undefined;
  }

  async #principalOf(call: HookCall): Promise<Principal> {
    if (call.agentId === "") return { kind: "lead", key: `lead:${call.session}`, name: "lead", session: call.session };
    const known = this.#agents.get(call.agentId);
    if (known) return known;
    const spawnCall = await spawnCallOf(call.transcript, call.agentId);
    const row = await this.#write("guard_meet", (ctx) => meetAgent(ctx, { ...call, spawnCall }));
    return this.#remember(row);
  }

  /** Only an agent whose spawn is known is kept: the others may still get their name and team. */
  #remember(row: AgentRow): Principal {
    const principal = agentPrincipal(row);
    if (row.name !== null || row.role !== null) this.#agents.set(row.agent_id, principal);
    return principal;
  }

  /** Any sign of life prolongs the holder's leases; looked at every few seconds, written when past half. */
  async #renew(principal: Principal): Promise<void> {
    const { store, config } = this.#runtime;
    const now = this.#runtime.now();
    const leaseMs = config.claims.lease_seconds * 1000;
    const last = this.#renewedAt.get(principal.key);
    if (store.readOnly || (last !== undefined && now - last < Math.min(RENEW_EVERY_MS, leaseMs / 4))) return;
    this.#renewedAt.set(principal.key, now);
    await keepLeases(this.#runtime, principal.key);
  }

  #write<T>(operation: string, work: (ctx: OperationContext) => Promise<T>): Promise<T> {
    return inTransaction(this.#runtime, { principal: systemPrincipal }, operation, work);
  }
}

function isReadCommand(noun: string, verb: string): boolean {
  return findOperation(`${noun}_${verb.replaceAll("-", "_")}`)?.kind === "read";
}

function deny(reason: string): Decision {
  return {
    hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "deny", permissionDecisionReason: reason },
  };
}

function denyStoreWrite(call: HookCall): Decision {
  const path = textOf(call.toolInput.file_path) || textOf(call.toolInput.notebook_path);
  return /(^|[\\/])\.teamwright([\\/]|$)/.test(path)
    ? deny("The store under .teamwright is written by the teamwright tools only.")
    : undefined;
}
