import { makeRepository } from "./repository.ts";
import type { Actor, Answer, World } from "./world.ts";

let reviewers = 0;

/** What the client does when a lead calls Agent for a reviewer: hook, rewritten prompt, start. */
export interface SpawnedReviewer {
  readonly id: string;
  /** Everything it was shown: its prompt, then each hook's context. */
  readonly shown: string[];
  /** Its last words; what comes back sends it back to work. */
  stop(lastMessage: string): Promise<Answer>;
}

export async function askReviewer(
  world: Pick<World, "hook" | "root">,
  input: Record<string, unknown>,
  options: { by?: string; id?: string } = {},
): Promise<SpawnedReviewer | { refusal: string }> {
  reviewers += 1;
  const useId = `toolu_review_${reviewers}`;
  const agentId = options.id ?? `arev${reviewers}`;
  const full: Record<string, unknown> = {
    subagent_type: "teamwright:adversarial-reviewer",
    description: "Review",
    ...input,
  };
  const decision = await world.hook({
    event: "PreToolUse",
    agent_id: options.by ?? "",
    tool_name: "Agent",
    tool_use_id: useId,
    tool_input: JSON.stringify(full),
  });
  const output = decision?.hookSpecificOutput;
  if (output?.permissionDecision === "deny") return { refusal: output.permissionDecisionReason };
  const shown = [String(output?.updatedInput?.prompt ?? full.prompt)];
  const type = "teamwright:adversarial-reviewer";
  const started = await world.hook({ event: "SubagentStart", agent_id: agentId, agent_type: type });
  if (started) shown.push(JSON.stringify(started));
  await world.hook({
    event: "PostToolUse",
    tool_name: "Agent",
    tool_use_id: useId,
    tool_input: JSON.stringify(full),
    tool_response: JSON.stringify({ isAsync: true, status: "async_launched", agentId }),
  });
  const looked = await world.hook({
    event: "PreToolUse",
    agent_id: agentId,
    agent_type: type,
    tool_name: "Read",
    tool_use_id: `${useId}_read`,
    tool_input: JSON.stringify({ file_path: `${world.root}/README.md` }),
  });
  if (looked) shown.push(JSON.stringify(looked));
  return {
    id: agentId,
    shown,
    stop: (lastMessage) =>
      world.hook({ event: "SubagentStop", agent_id: agentId, agent_type: type, last_assistant_message: lastMessage }),
  };
}

/** Opens a review of the unit and starts the reviewer it asks for. */
export async function review(world: World, lead: Actor, unit: string, answer: string): Promise<SpawnedReviewer> {
  const opened = await lead.must("review_open", { unit });
  const reviewer = await askReviewer(world, { prompt: opened.spawn.prompt, description: opened.spawn.description });
  if ("refusal" in reviewer) throw new Error(reviewer.refusal);
  await reviewer.stop(answer);
  return reviewer;
}

export const passing = (items: number, place = "src/a.txt:1") =>
  [
    "VERDICT: PASS",
    ...Array.from({ length: items }, (_, n) => `ITEM ${n + 1}: PASS | ${place} | none | it is there`),
  ].join("\n");

export const failing = (text: string) =>
  `VERDICT: FAIL\nITEM 1: FAIL | src/a.txt:1 | none | ${text}\nISSUE BLOCKING: src/a.txt:1 | ${text}`;

/** A unit in the project's tree that ada has begun to work on. */
export async function beginUnit(
  world: World,
  draft: { title: string; description?: string } = { title: "Write a line" },
  repo = makeRepository(world.root),
) {
  const lead = world.lead();
  const { task } = await lead.must("task_create", { ...draft, acceptance: "- it is there", scope: ["src"] });
  const plan = await lead.must("unit_plan", { tasks: [task.id], about: "9" });
  const unit: string = plan.units[0].id;
  await lead.must("unit_start", { unit });
  const ada = await world.spawn("ada", { prompt: `Do ${task.id}` });
  await ada.must("task_claim", { id: task.id });
  return { repo, lead, ada, unit, task: task.id as string };
}

/** The unit handed in with a second line that its gates have passed. */
export async function validateUnit(begun: Awaited<ReturnType<typeof beginUnit>>) {
  const { repo, ada, lead, unit } = begun;
  repo.write("src/a.txt", "one\ntwo\n");
  await ada.must("unit_submit", { unit });
  await lead.must("unit_validate", { unit });
  return begun;
}
