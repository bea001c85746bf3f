import {
  type AgentRow,
  agentPrincipal,
  asPlaced,
  confirmSpawn,
  findAgent,
  meetAgent,
  setAgent,
} from "../../features/agent/agent.store.ts";
import { experimentSession } from "../../kernel/child-environment.ts";
import { atOnce, inTransaction, type Runtime } from "../../kernel/execute.ts";
import type { GuardContext, GuardRule, HookCall, Verdict } from "../../kernel/guard-rule.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { type Principal, systemPrincipal } from "../../kernel/principal.ts";
import { textOf } from "../../kernel/records.ts";
import { Bindings } from "./bindings.ts";
import { FollowTeams } from "./follow-teams.ts";
import { GiveWay } from "./give-way.ts";
import { readHookCall } from "./hook-call.ts";
import { LeaseKeeper } from "./leases.ts";
import { Liveness } from "./liveness.ts";
import { guardRules } from "./rules.ts";
import { spawnCallOf } from "./spawn-record.ts";

/** What the client's hook reads: a decision on a tool call, context for an agent, or being sent back to work. */
export type Decision = Record<string, unknown> | undefined;

/** The client waits ten seconds for a hook, and then goes on as if nothing had been said. */
const PATIENCE_MS = 7000;
const OWN_TOOL = /^mcp__plugin_teamwright_teamwright__(\w+)$/;

/**
 * Answers the client's hooks. Identity lives here, in memory: which principal makes which call is decided before the
 * call arrives and used once (design §3). What is refused, rewritten or told is the rules' (rules.ts).
 */
export class Guard {
  readonly #live: Runtime;
  /** With the configuration as the last hook found it: looking for it in the file was half of a decision. */
  #runtime: Runtime;
  readonly #rules: readonly GuardRule[] = guardRules.map((make) => make());
  readonly #bindings = new Bindings();
  readonly #giveWay = new GiveWay();
  readonly #agents = new Map<string, Principal>();
  readonly #leases = new LeaseKeeper();
  readonly #liveness = new Liveness();
  readonly #teams = new FollowTeams();
  /** Started before anybody could say who they are: they hear at their first call what the others heard at once. */
  readonly #unbriefed = new Set<string>();

  constructor(runtime: Runtime) {
    this.#live = runtime;
    this.#runtime = runtime;
  }

  /** The principal bound to this call; a binding is good for one call of one tool, and not for long. */
  take(toolUseId: string, tool: string): Principal | undefined {
    return this.#bindings.take(toolUseId, tool, this.#runtime.now());
  }

  get announced(): number {
    return this.#bindings.size;
  }

  /** When the client's hooks of this kind last arrived; undefined: not yet. */
  lastHook(event: string, tool: string): number | undefined {
    return this.#liveness.last(event, tool);
  }

  async decide(input: Readonly<Record<string, unknown>>): Promise<Decision> {
    const call = readHookCall(input);
    if (call.session === "") return undefined;
    this.#liveness.note(call.event, call.toolName, this.#runtime.now());
    this.#runtime = atOnce(this.#live);
    // what only keeps records has nowhere to keep them
    if (this.#runtime.store.readOnly && /^(PostToolUse|Subagent|Task)/.test(call.event)) return undefined;
    const isMoved = await this.#teams.follow(this.#runtime, (work) => this.#write("guard_teams", work));
    if (isMoved) this.#agents.clear(); // who they are is asked anew
    switch (call.event) {
      case "PreToolUse":
        return this.#beforeTool(call);
      case "PostToolUse":
      case "PostToolUseFailure":
        return this.#afterTool(call);
      case "SubagentStart":
        return call.agentId === "" ? undefined : this.#agentStarts(call);
      case "SubagentStop":
        return call.agentId === "" ? undefined : this.#agentStops(call);
      case "TaskCreated":
      case "TaskCompleted":
        return this.#ofClientTask(call);
      default:
        return this.#ofLead(call);
    }
  }

  async #beforeTool(call: HookCall): Promise<Decision> {
    const principal = await this.#principalOf(call);
    const own = OWN_TOOL.exec(call.toolName)?.[1];
    if (own !== undefined && call.toolUseId !== "")
      this.#bindings.add(call.toolUseId, { principal, cwd: call.cwd, tool: own, at: this.#runtime.now() });
    await this.#leases.keep(this.#runtime, principal.key);
    const verdict = await this.#ask(call, principal, (rule) =>
      rule.beforeTool?.tools.test(call.toolName) ? rule.beforeTool.decide : undefined,
    );
    if (verdict.refusal !== undefined)
      return hookOutput("PreToolUse", { permissionDecision: "deny", permissionDecisionReason: verdict.refusal });
    const context = [verdict.context, await this.#lateBrief(call, principal)].filter(Boolean).join("\n\n");
    if (context === "" && !verdict.input) return undefined;
    return hookOutput("PreToolUse", {
      ...(verdict.input ? { permissionDecision: "allow", updatedInput: verdict.input } : {}),
      ...(context === "" ? {} : { additionalContext: context }),
    });
  }

  async #lateBrief(call: HookCall, principal: Principal): Promise<string | undefined> {
    if (!this.#agents.has(call.agentId) || !this.#unbriefed.delete(call.agentId)) return undefined;
    return (await this.#ask(call, principal, (rule) => rule.agentStarts)).context;
  }

  async #afterTool(call: HookCall): Promise<Decision> {
    if (call.toolName === "Agent" || call.toolName === "Task") await this.#confirmSpawn(call);
    const { context } = await this.#ask(call, await this.#principalOf(call), (rule) =>
      rule.afterTool?.tools.test(call.toolName) ? rule.afterTool.decide : undefined,
    );
    return context === undefined ? undefined : hookOutput(call.event, { additionalContext: context });
  }

  async #confirmSpawn(call: HookCall): Promise<void> {
    // the oldest client shows a teammate's address here, not its id: such an agent is joined by its name at the start
    const agentId = textOf(call.toolResponse.agentId) || textOf(call.toolResponse.agent_id);
    if (agentId === "" || agentId.includes("@")) return;
    const worktree = textOf(call.toolResponse.worktreePath);
    const row = await this.#write("guard_agent", async (ctx) => {
      const agent = await confirmSpawn(ctx, call.session, call.toolUseId, agentId);
      if (agent && worktree !== "") await setAgent(ctx, agentId, { worktree });
      return agent;
    });
    if (row) this.#remember(row);
  }

  async #agentStarts(call: HookCall): Promise<Decision> {
    const spawnCall = await spawnCallOf(call.transcript, call.agentId);
    const row = await this.#write("guard_start", async (ctx) => {
      const agent = await meetAgent(ctx, { ...call, spawnCall });
      if (agent.ended_at !== null) {
        await setAgent(ctx, agent.agent_id, { ended_at: null, end_reason: null, last_seen_at: ctx.now });
        ctx.record({ type: "agent.resumed", subject: agent.agent_id });
      }
      return agent;
    });
    const principal = this.#remember(row);
    if (!this.#agents.has(row.agent_id)) this.#unbriefed.add(row.agent_id);
    const { context } = await this.#ask(call, principal, (rule) => rule.agentStarts);
    return context === undefined ? undefined : hookOutput("SubagentStart", { additionalContext: context });
  }

  async #agentStops(call: HookCall): Promise<Decision> {
    const principal = await this.#principalOf(call);
    const { refusal } = await this.#ask(call, principal, (rule) => rule.agentStops);
    if (refusal !== undefined) return { decision: "block", reason: refusal };
    await this.#write("guard_stop", async (ctx) => {
      const agent = await findAgent(ctx.db, call.agentId);
      if (!agent) return;
      await setAgent(ctx, agent.agent_id, { ended_at: ctx.now, end_reason: "stopped", last_seen_at: ctx.now });
      ctx.record({ type: "agent.stopped", subject: agent.agent_id, team: agent.team ?? undefined });
    });
    await this.#ask(call, principal, (rule) => rule.agentStopped, true);
    return undefined;
  }

  async #ofClientTask(call: HookCall): Promise<Decision> {
    const { refusal } = await this.#ask(call, await this.#principalOf(call), (rule) => rule.clientTask);
    return refusal === undefined ? undefined : { decision: "block", reason: refusal };
  }

  async #ofLead(call: HookCall): Promise<Decision> {
    const principal = await this.#principalOf(call);
    await this.#leases.keep(this.#runtime, principal.key);
    if (call.event === "Stop") {
      const { refusal } = await this.#ask(call, principal, (rule) => rule.leadStops);
      return refusal === undefined ? undefined : { decision: "block", reason: refusal };
    }
    if (call.event !== "UserPromptSubmit") return undefined;
    const { context } = await this.#ask(call, principal, (rule) => rule.prompt);
    // without an answer the client tells the model "UserPromptSubmit completed" at every prompt
    return context === undefined ? {} : hookOutput("UserPromptSubmit", { additionalContext: context });
  }

  /** Asks each rule in turn. `always`: records that are kept also where every decision is switched off. */
  async #ask(
    first: HookCall,
    principal: Principal,
    pick: (rule: GuardRule) => ((ctx: GuardContext) => Promise<Verdict | undefined>) | undefined,
    always = false,
  ): Promise<Verdict> {
    let call = first;
    let input: Verdict["input"];
    const contexts: string[] = [];
    for (const rule of this.#rules) {
      const decide = pick(rule);
      if (!decide) continue;
      const isOff = this.#runtime.config.guard === "off" && !always && !rule.keepsRecords;
      if (isOff) continue;
      const verdict = await this.#decideSafely(rule, decide, call, principal);
      if (verdict?.refusal !== undefined) return { refusal: verdict.refusal };
      if (verdict?.input) {
        input = verdict.input;
        call = { ...call, toolInput: input };
      }
      if (verdict?.context) contexts.push(verdict.context);
    }
    return { ...(input ? { input } : {}), ...(contexts.length > 0 ? { context: contexts.join("\n\n") } : {}) };
  }

  async #decideSafely(
    rule: GuardRule,
    decide: (ctx: GuardContext) => Promise<Verdict | undefined>,
    call: HookCall,
    principal: Principal,
  ): Promise<Verdict | undefined> {
    const ctx: GuardContext = {
      runtime: this.#runtime,
      call,
      principal,
      write: (operation, work) => this.#write(operation, work),
    };
    const isStop = decide === rule.agentStops;
    try {
      const verdict = await decide(ctx);
      if (isStop) this.#giveWay.worked(rule.name, ctx);
      return verdict;
    } catch (error) {
      process.stderr.write(`rule ${rule.name}: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
      if (!rule.failsClosed || (isStop && (await this.#giveWay.failed(rule.name, ctx)))) return undefined;
      const refusal = `The rule ${rule.name} could not be checked, and so the call is refused; doctor_check says more.`;
      return { refusal };
    }
  }

  /** In a session of one team of an experiment nobody is of none: no board of another team is within reach. */
  async #principalOf(call: HookCall): Promise<Principal> {
    const who = await this.#whoCalls(call);
    const team = experimentSession()?.team;
    return team === undefined || who.team !== undefined ? who : { ...who, team };
  }

  async #whoCalls(call: HookCall): Promise<Principal> {
    if (call.agentId === "") return { kind: "lead", key: `lead:${call.session}`, name: "lead", session: call.session };
    const known = this.#agents.get(call.agentId);
    if (known) return asPlaced(this.#runtime.store.db, this.#runtime.config, known);
    if (this.#runtime.store.readOnly) return this.#guest(call);
    const spawnCall = await spawnCallOf(call.transcript, call.agentId);
    const row = await this.#write("guard_meet", (ctx) => meetAgent(ctx, { ...call, spawnCall }));
    return this.#remember(row);
  }

  /** Where nothing can be recorded an agent is who the store already knows, or a new one without a name: it can read. */
  async #guest({ agentId, session }: HookCall): Promise<Principal> {
    const row = await findAgent(this.#runtime.store.db, agentId);
    if (row) return agentPrincipal(row);
    return { kind: "agent", key: `agent:${agentId}`, name: agentId.slice(0, 8), session, agentId };
  }

  /** Only an agent whose spawn is known is kept: the others may still get their name and team. */
  #remember(row: AgentRow): Principal {
    const principal = agentPrincipal(row);
    if (row.name !== null || row.role !== null) this.#agents.set(row.agent_id, principal);
    return principal;
  }

  #write<T>(operation: string, work: (ctx: OperationContext) => Promise<T>): Promise<T> {
    return inTransaction(this.#runtime, { principal: systemPrincipal, patienceMs: PATIENCE_MS }, operation, work);
  }
}

function hookOutput(hookEventName: string, fields: Record<string, unknown>): Decision {
  return { hookSpecificOutput: { hookEventName, ...fields } };
}
