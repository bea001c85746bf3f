import type { Actor, Answer, World } from "./world.ts";

/** Two teams and both coordinators; what is given is laid over the `coordination:` section. */
export function coordinated(section: Record<string, unknown> = {}, more = ""): string {
  const coordination = { enabled: true, coordinators: ["enablement_lead_01", "staff_engineer_01"], ...section };
  return `
models:
  agents:
    ada: { role_archetype: dev_lead }
    abe: { role_archetype: developer }
    art: { role_archetype: developer }
    bea: { role_archetype: developer }
    bob: { role_archetype: developer }
    ben: { role_archetype: product_owner }
    enablement_lead_01: { name: Enablement Lead, role_archetype: enablement_lead }
    staff_engineer_01: { name: Staff Engineer, role_archetype: staff_engineer }
teams:
  - { id: alpha, agents: [ada, abe, art] }
  - { id: beta, agents: [bea, bob, ben] }
coordination: ${JSON.stringify(coordination)}
${more}`;
}

let spawns = 0;

/** A coordinator as the client starts it: hook, rewritten prompt, start. */
export interface StartedCoordinator {
  readonly id: string;
  /** The prompt the client was given in the place of the lead's. */
  readonly prompt: string;
  /** What the hooks told it at its start. */
  readonly told: string;
  /** Its last words; what comes back sends it back to work. */
  stop(lastMessage: string): Promise<Answer>;
  /** The same agent with the tools. */
  readonly actor: Pick<Actor, "call">;
}

/** What the client does when a lead calls Agent; a refusal comes back as its text. */
export async function startCoordinator(
  world: World,
  spawn: Record<string, unknown>,
  options: { by?: string; session?: string } = {},
): Promise<StartedCoordinator | { refusal: string }> {
  spawns += 1;
  const call = { session_id: options.session ?? "s1", tool_use_id: `toolu_coord_${spawns}` };
  const agentId = `acoord${spawns}`;
  const asked = { event: "PreToolUse", tool_name: "Agent", tool_input: JSON.stringify(spawn) };
  const decision = await world.hook({ ...call, ...asked, agent_id: options.by ?? "" });
  const output = decision?.hookSpecificOutput;
  if (output?.permissionDecision === "deny") return { refusal: String(output.permissionDecisionReason) };
  const agent = { session_id: call.session_id, agent_id: agentId, agent_type: String(spawn.subagent_type) };
  const started = await world.hook({ ...agent, event: "SubagentStart" });
  await world.hook({
    ...call,
    event: "PostToolUse",
    tool_name: "Agent",
    tool_input: JSON.stringify(spawn),
    tool_response: JSON.stringify({ isAsync: true, status: "async_launched", agentId }),
  });
  return {
    id: agentId,
    prompt: String(output?.updatedInput?.prompt ?? spawn.prompt),
    told: String(started?.hookSpecificOutput?.additionalContext ?? ""),
    stop: (lastMessage) => world.hook({ ...agent, event: "SubagentStop", last_assistant_message: lastMessage }),
    actor: world.known(agentId, agent.agent_type, call.session_id),
  };
}

/** The same, where a refusal fails the test. */
export async function mustStart(world: World, spawn: Record<string, unknown>): Promise<StartedCoordinator> {
  const started = await startCoordinator(world, spawn);
  if ("refusal" in started) throw new Error(started.refusal);
  return started;
}

/** A whole round: both coordinators say what is given; gives the answer of coordination_begin afterwards. */
export async function holdRound(
  world: World,
  lead: Actor,
  words: { evaluation: string; plan: string },
): Promise<Answer> {
  const begun = await lead.must("coordination_begin");
  await (await mustStart(world, begun.spawn)).stop(words.evaluation);
  const next = await lead.must("coordination_begin");
  await (await mustStart(world, next.spawn)).stop(words.plan);
  return lead.must("coordination_begin");
}
