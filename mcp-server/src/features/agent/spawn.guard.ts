import type { GuardRule, HookCall } from "../../kernel/guard-rule.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { textOf } from "../../kernel/records.ts";
import { partOfDefinition } from "../coordination/coordination.rules.ts";
import { reviewerRole } from "../message/message.rules.ts";
import { freeClaims } from "../task/claim.store.ts";
import { roleOf } from "./agent.rules.ts";
import { agentsOfSession, noteSpawn, openTaskIn, setAgent } from "./agent.store.ts";

/** Notes each spawn before it happens: the only place where name, definition and task stand together. */
export function spawnGuard(): GuardRule {
  return {
    name: "spawn-records",
    promise: "Each agent is known by the call that started it: name, role, task.",
    failsClosed: false,
    keepsRecords: true,
    beforeTool: {
      tools: /^(Agent|Task)$/,
      async decide({ call, write }) {
        await write("guard_spawn", async (ctx) => {
          await noteSpawn(ctx, {
            session: call.session,
            tool_use_id: call.toolUseId,
            parent_agent_id: call.agentId || null,
            name: textOf(call.toolInput.name) || null,
            subagent_type: textOf(call.toolInput.subagent_type) || null,
            task_key: await taskOf(ctx, call),
            worktree: call.toolInput.isolation === "worktree" ? 1 : 0,
          });
        });
        return undefined;
      },
    },
  };
}

/** Reviewers and coordinators work on no task: what their questions quote is not their business. */
async function taskOf({ db }: OperationContext, { toolInput }: HookCall): Promise<string | null> {
  const definition = textOf(toolInput.subagent_type);
  if (roleOf(definition) === reviewerRole || partOfDefinition(definition) !== undefined) return null;
  return openTaskIn(db, `${textOf(toolInput.description)}\n${textOf(toolInput.prompt)}`);
}

/** TaskStop fires no SubagentStop for the agent it ends: its own PostToolUse is the only sign. */
export function killGuard(): GuardRule {
  return {
    name: "killed-agents",
    promise: "What an agent held when it was killed comes free at once.",
    failsClosed: false,
    keepsRecords: true,
    afterTool: {
      tools: /^TaskStop$/,
      async decide({ call, write }) {
        const target = textOf(call.toolInput.task_id) || textOf(call.toolResponse.task_id);
        if (target === "") return undefined;
        await write("guard_kill", async (ctx) => {
          const agents = await agentsOfSession(ctx.db, call.session);
          const agent =
            agents.find((row) => row.agent_id === target) ?? agents.filter((row) => row.name === target).at(-1);
          if (!agent) return;
          await setAgent(ctx, agent.agent_id, { ended_at: ctx.now, end_reason: "killed" });
          ctx.record({ type: "agent.killed", subject: agent.agent_id, team: agent.team ?? undefined });
          await freeClaims(ctx, [`agent:${agent.agent_id}`], "its agent was killed");
        });
        return undefined;
      },
    },
  };
}
