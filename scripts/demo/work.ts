/** What every scripted agent does: take the next ready task, work on it, hand it in, close it, until nothing is left. */
import { type Agent, type Answer, sleep } from "./agent.ts";

/** Work is waiting here: so long per point in progress, and so long in review. */
const PACE = { base: 350, perPoint: 330, review: 220, reviewPerPoint: 90 };
/** How long an agent waits before it asks again. */
const [AFTER_REFUSAL, AFTER_NOTHING] = [260, 320];

export interface Shift {
  /** Aborted when every board is done, or when the run is given up. */
  readonly over: AbortSignal;
  /** One line for the ticker about what no event tells, such as a refusal. */
  say(agent: Agent, what: string, detail: string): void;
  /** The scripted turns of the story; true when the claim was lost by it. */
  onClaim(agent: Agent, task: Answer, fence: number): Promise<boolean>;
}

export async function drain(agent: Agent, shift: Shift): Promise<void> {
  while (!shift.over.aborted) {
    const claim = await patiently(agent, shift, "task_claim", {});
    if (claim === undefined) continue;
    if (!claim.task) {
      agent.be("idle", "nothing is ready");
      await sleep(AFTER_NOTHING);
      continue;
    }
    await finish(agent, shift, claim.task, claim.fence);
  }
  agent.be("done");
}

async function finish(agent: Agent, shift: Shift, task: Answer, fence: number): Promise<void> {
  const points: number = task.points ?? 1;
  agent.be("working", `${task.id} ${task.title}`);
  const ms = PACE.base + PACE.perPoint * points;
  await work(agent, ms * 0.4);
  if (await shift.onClaim(agent, task, fence)) return;
  agent.be("working", `${task.id} ${task.title}`);
  const comment = { id: task.id, comment: "Half of it stands; the tests are written.", fence };
  if (points >= 3 && !(await patiently(agent, shift, "task_update", comment))) return;
  await work(agent, ms * 0.6);
  if (!(await patiently(agent, shift, "board_move", { id: task.id, to: "review", fence }))) return;
  agent.be("review", `${task.id} ${task.title}`);
  await work(agent, PACE.review + PACE.reviewPerPoint * points);
  const close = { id: task.id, reason: "Criteria met; the review found nothing.", fence };
  if (await patiently(agent, shift, "task_close", close)) agent.closed += 1;
}

async function work(agent: Agent, ms: number): Promise<void> {
  await sleep(ms);
  agent.record.workedMs += ms;
}

/** Asks again as long as a limit refuses; undefined when the shift ended first, or the claim is over. */
async function patiently(agent: Agent, shift: Shift, tool: string, input: Record<string, unknown>): Promise<Answer> {
  const [mood, doing] = [agent.mood, agent.doing];
  for (let tries = 1; !shift.over.aborted; tries += 1) {
    const begun = performance.now();
    const answer = await agent.call(tool, input);
    if (!answer?.error) {
      agent.be(mood, doing);
      return answer;
    }
    if (answer.error.code === "CONFLICT" || answer.error.code === "FORBIDDEN") {
      shift.say(agent, "refused", `${answer.error.code}: ${answer.error.message}`);
      return undefined;
    }
    if (answer.error.code !== "OVER_LIMIT") throw new Error(`${agent.name}: ${tool}: ${answer.error.message}`);
    agent.record.refusals += 1;
    const limit = /limit of (\d+) in (\w+)/.exec(answer.error.message);
    const full = limit ? `${limit[2]?.replace("_", " ")} is full` : answer.error.message;
    agent.be("waiting", full);
    if (tries === 1) shift.say(agent, "refused", `OVER_LIMIT: ${full}${limit ? ` (limit ${limit[1]})` : ""}`);
    await sleep(AFTER_REFUSAL);
    agent.record.waitedMs += performance.now() - begun;
  }
  return undefined;
}
