/** The turns of the story that do not come by themselves: a wait between teams, a blocked task, a crash, two deferrals. */
import { type Agent, type Answer, sleep } from "./agent.ts";
import { teamwright } from "./prepare.ts";
import { afterOf, type EventRow, type Watch } from "./watch.ts";
import type { Shift } from "./work.ts";

/** Ids in examples/two-teams/backlog.jsonl. */
const WAITS = { task: "tide-h4x.4", on: "tide-e1k.5", team: "alpha" };
const BLOCKED = "tide-q7m.5";
const CRASHES_ON = "tide-h4x.3";
const PUT_OFF = [
  { id: "tide-t2g", ms: 9_000 },
  { id: "tide-r9b", ms: 7_000 },
];
const LONGEST_WAIT = 30_000;

export interface Outcome {
  crash: { agent: string; task: string; lateWrite?: string } | undefined;
  epicsClosed: string[];
}

export class Story {
  readonly outcome: Outcome = { crash: undefined, epicsClosed: [] };
  readonly #folder: string;
  readonly #watch: Watch;
  readonly #say: Shift["say"];
  readonly #openEpics: Set<string>;
  #hasBlocked = false;
  #closing: Promise<void> = Promise.resolve();

  constructor(folder: string, watch: Watch, epics: readonly string[], say: Shift["say"]) {
    this.#folder = folder;
    this.#watch = watch;
    this.#openEpics = new Set(epics);
    this.#say = say;
  }

  /** Before the work starts: one team tells the other what it needs; two ideas are put off for some seconds. */
  async open(agents: readonly Agent[]): Promise<void> {
    const ofTeam = (team: string) => agents.filter((agent) => agent.team === team);
    const [alpha] = ofTeam("alpha");
    const [beta, other] = ofTeam("beta");
    const until = (ms: number) => new Date(Date.now() + ms).toISOString();
    await beta?.must("dependency_declare", {
      task: WAITS.task,
      needs_team: WAITS.team,
      needed_task: WAITS.on,
      type: "needs_api",
      note: "The depth beside a berth comes from the forecast API.",
    });
    const [first, second] = PUT_OFF;
    if (first) await alpha?.must("task_update", { id: first.id, defer_until: until(first.ms) });
    if (second) await other?.must("task_update", { id: second.id, defer_until: until(second.ms) });
  }

  async onClaim(agent: Agent, task: Answer, fence: number): Promise<boolean> {
    if (task.id === BLOCKED && !this.#hasBlocked) {
      this.#hasBlocked = true;
      await this.#block(agent, task);
    }
    if (task.id !== CRASHES_ON || this.outcome.crash) return false;
    await this.#crash(agent, task, fence);
    return true;
  }

  /** Something is missing that somebody else can get: a task for it, the flag with a reason, and on when it is there. */
  async #block(agent: Agent, task: Answer): Promise<void> {
    const { task: need } = await agent.must("task_create", {
      title: "Hand out the staging key for bulletins",
      kind: "chore",
      priority: 0,
      points: 2,
      parent: "tide-q7m",
      acceptance: "The key is in the staging vault and expires in a year.",
      scope: ["ops/keys/**"],
      labels: ["ops"],
    });
    await agent.must("task_link", { id: task.id, target: need.id, type: "related" });
    await agent.must("task_update", { id: task.id, block: `the staging key has expired, see ${need.id}` });
    agent.be("blocked", `${task.id} the staging key has expired`);
    const begun = performance.now();
    while (performance.now() - begun < LONGEST_WAIT) {
      const { task: state } = await agent.must("task_show", { id: need.id });
      if (state.state === "closed") break;
      await sleep(250);
    }
    await agent.must("task_update", { id: task.id, unblock: true, comment: `${need.id} is closed: the key works.` });
    agent.record.blockedMs += performance.now() - begun;
  }

  /** The server dies with a claim in hand. Its successor owns nothing of it, and a late write with the old claim fails. */
  async #crash(agent: Agent, task: Answer, fence: number): Promise<void> {
    this.outcome.crash = { agent: agent.name, task: task.id };
    const pickedUp = this.#watch.next(
      (event) => event.type === "task.claimed" && event.subject === task.id && Number(afterOf(event).fence) > fence,
      LONGEST_WAIT,
    );
    agent.kill();
    this.#say(agent, "crashes", `SIGKILL while it holds ${task.id}`);
    await sleep(1200);
    await agent.start();
    const brief = await agent.must("brief_show");
    this.#say(agent, "restarts", `a new process, it holds ${brief.holding.length} tasks`);
    agent.be("idle", "restarted");
    await pickedUp;
    const late = await agent.call("task_close", { id: task.id, fence, reason: "Done before the crash." });
    this.outcome.crash.lateWrite = late?.error?.code ?? "accepted";
    this.#say(agent, "refused", `${late?.error?.code ?? "NOT"}: a late close with the claim lost in the crash`);
  }

  /** The person who leads both teams closes an epic when its last part is done. One after the other. */
  lead(event: EventRow): Promise<void> {
    if (event.type !== "task.closed") return Promise.resolve();
    this.#closing = this.#closing.then(async () => {
      for (const id of this.#openEpics) {
        const { task } = await this.#watch.read("task_show", { id });
        if (task.open_children || task.waits_for || !task.closed_children) continue;
        this.#openEpics.delete(id);
        const answer = await teamwright(this.#folder, "task", "close", id, "--reason", "All its parts are closed.");
        if (answer.error) throw new Error(`${id}: ${answer.error.message}`);
        this.outcome.epicsClosed.push(id);
      }
    });
    return this.#closing;
  }

  settled(): Promise<void> {
    return this.#closing;
  }
}
