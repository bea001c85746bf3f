/** The client's hooks on a project whose operations run in processes of their own. */
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute } from "../../mcp-server/src/kernel/execute.ts";
import { openRuntime } from "../../mcp-server/src/runtime.ts";
import { Guard } from "../../mcp-server/src/surfaces/guard/guard.ts";
import type { Answer, World } from "./world.ts";

export interface Hooks extends Pick<World, "hook" | "root">, AsyncDisposable {
  /** Starts an agent as the client would, in a working tree of its own when `worktree` names one. */
  spawn(id: string, prompt: string, worktree?: string): Promise<void>;
  /** Runs an operation as that agent. */
  as(id: string, operation: string, input: Record<string, unknown>): Promise<Answer>;
}

/** A guard of its own on the project's store: what it knows comes from there. */
export async function openHooks(root: string): Promise<Hooks> {
  const runtime = await openRuntime({ start: root, defaultIdentity: "advisory" });
  const guard = new Guard(runtime);
  const hook: Hooks["hook"] = (payload) => guard.decide({ session_id: "s1", ...payload });
  return {
    root,
    hook,
    async spawn(id, prompt, worktree) {
      const call = { tool_name: "Agent", tool_use_id: `spawn-${id}` };
      const isolation = worktree === undefined ? {} : { isolation: "worktree" };
      const input = JSON.stringify({ name: id, subagent_type: "teamwright:builder", prompt, ...isolation });
      await hook({ event: "PreToolUse", ...call, tool_input: input });
      await hook({ event: "SubagentStart", agent_id: id, agent_type: "teamwright:builder" });
      const response = JSON.stringify({ agentId: id, worktreePath: worktree });
      await hook({ event: "PostToolUse", ...call, tool_input: input, tool_response: response });
    },
    async as(id, operation, input) {
      const tool_use_id = `${operation}-${id}-${Date.now()}`;
      const tool_name = `mcp__plugin_teamwright_teamwright__${operation}`;
      await hook({ event: "PreToolUse", agent_id: id, agent_type: "teamwright:builder", tool_use_id, tool_name });
      const principal = guard.take(tool_use_id, operation);
      const found = findOperation(operation);
      if (!principal || !found) throw new Error(`nobody is known to call ${operation}`);
      return execute(runtime, found, input, { principal });
    },
    [Symbol.asyncDispose]: () => runtime.close(),
  };
}
