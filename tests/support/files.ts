import type { Actor, Answer, World } from "./world.ts";

/** What a file is asked to be written with; the lead is an actor whose id begins with `lead:`. */
export interface Attempt {
  readonly tool?: "Edit" | "MultiEdit" | "Write" | "NotebookEdit";
  readonly cwd?: string;
  readonly session?: string;
}

/** Asks the guard about a write as the client would; the refusal it answers, or undefined. Paths are the project's. */
export async function refusedWrite(
  world: World,
  actor: Actor,
  path: string,
  attempt: Attempt = {},
): Promise<string | undefined> {
  return (await askWrite(world, actor, path, attempt))?.hookSpecificOutput?.permissionDecisionReason;
}

/** The guard's whole answer to a write. */
export async function askWrite(world: World, actor: Actor, path: string, attempt: Attempt = {}): Promise<Answer> {
  const tool = attempt.tool ?? "Edit";
  const named = path.startsWith("/") || attempt.cwd !== undefined ? path : `${world.root}/${path}`;
  const input = tool === "NotebookEdit" ? { notebook_path: named } : { file_path: named };
  const isLead = actor.id.startsWith("lead:");
  return world.hook({
    event: "PreToolUse",
    session_id: attempt.session ?? "s1",
    agent_id: isLead ? "" : actor.id,
    agent_type: isLead ? "" : "teamwright:builder",
    tool_name: tool,
    tool_use_id: "toolu_write",
    tool_input: JSON.stringify(input),
    cwd: attempt.cwd ?? world.root,
  });
}
