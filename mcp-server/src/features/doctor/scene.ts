import type { ProjectConfig } from "../../config/config.schema.ts";
import { newKey } from "../../kernel/ids.ts";
import type { Stage } from "../../kernel/inspection.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { isRecord, textOf } from "../../kernel/records.ts";
import { agentPrincipal, confirmSpawn, noteSpawn } from "../agent/agent.store.ts";
import { insertRun, type RunRow } from "../run/run.store.ts";
import { findTaskByKey } from "../task/task.store.ts";
import { insertUnit, saveUnit, type UnitRow } from "../unit/unit.store.ts";
import { held, missed, type Sight } from "./rule-entry.ts";

/** The stage's configuration without what a busy project would stumble over: a canary must fail for its own reason. */
export function roomy(config: ProjectConfig): ProjectConfig {
  return {
    ...config,
    task_quality: "off",
    wip_limits: {},
    teams: config.teams.map(({ wip_limits: _, ...team }) => team),
  };
}

/** A session with a lead and agents of its own, played on a stage: the canaries of the rules. */
export class Scene {
  readonly stage: Stage;
  readonly session = newKey("canary");
  readonly lead: Principal;
  readonly stranger: Principal = { kind: "unverified", key: "unverified:canary", name: "canary" };
  readonly person: Principal = { kind: "human", key: "human:canary", name: "canary" };

  constructor(stage: Stage) {
    this.stage = stage;
    this.lead = { kind: "lead", key: `lead:${this.session}`, name: "lead", session: this.session };
  }

  get config(): ProjectConfig {
    return this.stage.runtime.config;
  }

  write<T>(work: (ctx: OperationContext) => Promise<T>): Promise<T> {
    return this.stage.write(work);
  }

  as(principal: Principal, operation: string, input?: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.stage.as(principal, operation, input);
  }

  /** Creates a task of a team, the first unless told; gives its id. Its scope is like nobody else's. */
  async task(more: Record<string, unknown> = {}): Promise<string> {
    const { task } = await this.as(this.lead, "task_create", {
      title: `Try the rules in ${newKey("place")}`,
      acceptance: "The canary is refused.",
      scope: [`${newKey("canary")}/**`],
      team: this.config.teams[0]?.id,
      ...more,
    });
    return isRecord(task) ? textOf(task.id) : "";
  }

  /** An agent as the guard would know it, past the rules about spawns; in the team of its task. */
  async agent(task?: string, role = "builder"): Promise<Principal> {
    const id = newKey("acanary");
    return this.write(async (ctx) => {
      await noteSpawn(ctx, {
        session: this.session,
        tool_use_id: `toolu_${id}`,
        parent_agent_id: null,
        name: role === "adversarial-reviewer" ? null : id,
        subagent_type: `teamwright:${role}`,
        task_key: task ?? null,
        worktree: 0,
      });
      const row = await confirmSpawn(ctx, this.session, `toolu_${id}`, id);
      if (!row) throw new Error("the canary's agent has no row");
      return agentPrincipal(row);
    });
  }

  /** A task in the hands of an agent. */
  async holding(): Promise<{ task: string; agent: Principal; fence: number }> {
    const task = await this.task();
    const agent = await this.agent(task);
    const { fence } = await this.as(agent, "task_claim", { id: task });
    return { task, agent, fence: Number(fence) };
  }

  /** A run that this session leads. */
  async run(): Promise<RunRow> {
    return this.write((ctx) =>
      insertRun(ctx, {
        name: "swarm-canary",
        level: "swarm",
        session: this.session,
        lead: this.lead.key,
        mode: "task",
        mode_reason: "canary",
        verdict: "single",
        verdict_reason: "canary",
        pairs: 0,
        phase_gate: "merged_local",
      }),
    );
  }

  /** A unit of a run in the phase asked for. */
  async unit(phase: "planned" | "review" = "planned"): Promise<{ run: RunRow; unit: UnitRow; task: string }> {
    const run = await this.run();
    const key = await this.task();
    const unit = await this.write(async (ctx) => {
      const task = await findTaskByKey(ctx.db, key);
      if (!task) throw new Error("the canary's task has no row");
      const draft = { task_id: task.id, title: task.title, stage: 1, scope: "[]", items: '["It holds."]' };
      let row = await insertUnit(ctx, run, draft);
      if (phase === "review")
        for (const event of ["start", "submit", "pass"] as const)
          row = await saveUnit(ctx, row, event, { diff_hash: "canary" });
      return row;
    });
    return { run, unit, task: key };
  }

  /** Hands a hook to the guard as the client would. */
  async hook(event: string, more: Record<string, unknown> = {}, by?: Principal): Promise<HookAnswer> {
    const answer = await this.stage.hook({
      event,
      session_id: this.session,
      agent_id: by?.agentId ?? "",
      agent_type: by?.role ? `teamwright:${by.role}` : "",
      cwd: this.config.root,
      transcript_path: "",
      ...more,
    });
    const output = isRecord(answer?.hookSpecificOutput) ? answer.hookSpecificOutput : {};
    const isRefusal = output.permissionDecision === "deny" || answer?.decision === "block";
    return {
      refusal: isRefusal ? textOf(output.permissionDecisionReason) || textOf(answer?.reason) : undefined,
      context: textOf(output.additionalContext),
    };
  }

  /** A tool call is about to be made. */
  before(tool: string, input: object, by?: Principal): Promise<HookAnswer> {
    const call = { tool_name: tool, tool_use_id: newKey("toolu"), tool_input: JSON.stringify(input) };
    return this.hook("PreToolUse", call, by);
  }
}

export interface HookAnswer {
  readonly refusal: string | undefined;
  readonly context: string;
}

/** The guard refused the canary in the words of the rule that is tried. */
export function denied(canary: string, { refusal }: HookAnswer, words: RegExp): Sight {
  if (refusal === undefined) return missed(`${canary}: it was let through`);
  const said = `${canary}: refused, ${JSON.stringify(refusal.split("\n")[0]?.slice(0, 120))}`;
  return words.test(refusal) ? held(said) : missed(`${said}, by another rule`);
}

/** The guard told what the rule promises to tell. */
export function told(canary: string, { context }: HookAnswer, word: string): Sight {
  return context.includes(word) ? held(`${canary}: told`) : missed(`${canary}: nothing was told`);
}
