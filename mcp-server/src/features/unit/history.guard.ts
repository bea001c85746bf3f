import { type Commit, commitsBeyond, commonFolder, type Heads, readHeads } from "../../kernel/git-heads.ts";
import type { GuardContext, GuardRule } from "../../kernel/guard-rule.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import { agentsOfSession } from "../agent/agent.store.ts";
import { raiseEscalation } from "../escalation/escalation.store.ts";
import { insertMessage } from "../message/message.store.ts";
import { activeRun, type RunRow } from "../run/run.store.ts";
import { type Moment, type Move, movesBetween, sightingText } from "./history.rules.ts";
import { foreignAmong, HISTORY_MOVED, movesOf, unitsOfAgents } from "./history.store.ts";
import { SHELLS } from "./shell.rules.ts";
import { isOpen } from "./unit.rules.ts";
import { unitsCommitting, unitsOfRun } from "./unit.store.ts";

const MOST_KEPT = 20;
const FLIGHT_MS = 15 * 60_000;

interface Flight {
  readonly agentId: string;
  readonly name: string;
  readonly at: number;
}

/**
 * What a script commits, the look at a command's text does not see. So where branches and HEADs are is read before and
 * after each shell command of an agent and when it stops; what has moved without unit_commit, while units are open, is
 * an event and urgent news for the lead, and fails the validation of the agent's unit (requirement FP-05).
 */
export function movedHistoryGuard(): GuardRule {
  const watch = new Watch();
  return {
    name: "history-watch",
    promise:
      "What an agent's command does to history past unit_commit is an event, told to the lead, and fails its unit until it is taken back.",
    failsClosed: false,
    async agentStarts(ctx) {
      await watch.begin(ctx);
      return undefined;
    },
    beforeTool: {
      tools: SHELLS,
      async decide(ctx) {
        await watch.look(ctx, "between commands");
        watch.takesOff(ctx);
        return undefined;
      },
    },
    afterTool: {
      tools: SHELLS,
      async decide(ctx) {
        await watch.look(ctx, "in a command");
        watch.lands(ctx);
        return undefined;
      },
    },
    async agentStops(ctx) {
      await watch.look(ctx, "at its stop");
      watch.ends(ctx);
      return undefined;
    },
  };
}

/** Where the repository stood at the last look, for all agents of the session: what has moved is judged once. */
class Watch {
  #known: Heads | undefined;
  /** Where branches began that were made while agents were at work: what lies there, nobody has vouched for. */
  readonly #strange = new Set<string>();
  readonly #flights = new Map<string, Flight>();
  #judging: Promise<void> = Promise.resolve();

  /** What happens while no agent is at work is not theirs. */
  async begin({ call, runtime }: GuardContext): Promise<void> {
    if (!(await activeRun(runtime.store.db, call.session))) return;
    const others = await agentsOfSession(runtime.store.db, call.session);
    if (this.#known && others.some((row) => row.ended_at === null && row.agent_id !== call.agentId)) return;
    this.#known = headsOf(runtime.config.root);
  }

  takesOff({ call, principal, runtime }: GuardContext): void {
    if (call.agentId === "" || this.#known === undefined) return;
    this.#flights.set(call.toolUseId, { agentId: call.agentId, name: principal.name, at: runtime.now() });
  }

  lands({ call }: GuardContext): void {
    this.#flights.delete(call.toolUseId);
  }

  /** The client tells of no command that has failed. */
  ends({ call }: GuardContext): void {
    for (const [id, { agentId }] of this.#flights) if (agentId === call.agentId) this.#flights.delete(id);
  }

  async look(ctx: GuardContext, moment: Moment): Promise<void> {
    const { call, runtime } = ctx;
    if (call.agentId === "" || runtime.store.readOnly) return;
    const run = await activeRun(runtime.store.db, call.session);
    if (!run) {
      this.#known = undefined;
      return;
    }
    const now = headsOf(runtime.config.root);
    if (!now || !this.#known || movesBetween(this.#known, now).length === 0) {
      this.#keep(now);
      return;
    }
    // one at a time: of two agents who see the same move the first tells it
    const turn = this.#judging.then(() => this.#judge(ctx, run, moment));
    this.#judging = turn.catch(() => {});
    await turn;
  }

  /** A branch that is gone is remembered: when it is back elsewhere, it has moved. */
  #keep(now: Heads | undefined): void {
    const known = this.#known;
    if (known && now) {
      const vouched = new Set(known.values());
      for (const [ref, commit] of now) if (!known.has(ref) && !vouched.has(commit)) this.#strange.add(commit);
    }
    this.#known = known && now ? new Map([...known, ...now]) : now;
  }

  async #judge(ctx: GuardContext, run: RunRow, moment: Moment): Promise<void> {
    const { call, runtime, principal } = ctx;
    const { db } = runtime.store;
    const { root } = runtime.config;
    const [before, now] = [this.#known, headsOf(root)];
    const moves = before && now ? movesBetween(before, now) : [];
    if (!before || !now || moves.length === 0) return;
    // a commit of ours is written down when its gates have passed: then is the time to judge
    if ((await unitsCommitting(db, runtime.now())).length > 0) return;
    this.#keep(now);
    const open = (await unitsOfRun(db, Number(run.id))).filter((unit) => isOpen(unit.phase));
    if (open.length === 0) return;
    const { added, lost } = await unreviewed(ctx, run.key, { before, now, moves, strange: this.#strange });
    if (added.length + lost.length === 0) return;
    const others = this.#others(call.agentId, runtime.now());
    const agents = [call.agentId, ...others.map(({ agentId }) => agentId)];
    const names = [...new Set(others.map(({ name }) => name))];
    const text = sightingText({ moves, added, lost, moment, agent: principal.name, others: names });
    const own = await unitsOfAgents(db, Number(run.id), agents);
    const units = own.length > 0 ? own : open.map(({ key }) => key);
    await tell(ctx, run, {
      text,
      agents,
      units,
      moves,
      added: added.slice(0, MOST_KEPT),
      lost: lost.slice(0, MOST_KEPT),
    });
  }

  /** Whose commands run now, beside this agent's. A call that the client has dropped does not land. */
  #others(agentId: string, now: number): Flight[] {
    for (const [id, { at }] of this.#flights) if (now - at > FLIGHT_MS) this.#flights.delete(id);
    return [...this.#flights.values()].filter((flight) => flight.agentId !== agentId);
  }
}

function headsOf(root: string): Heads | undefined {
  const common = commonFolder(root);
  return common === undefined ? undefined : readHeads(common);
}

/** Commits that are new and not unit_commit's, and commits that no branch has any more, less what was told already. */
async function unreviewed(
  { runtime }: GuardContext,
  runKey: string,
  { before, now, moves, strange }: { before: Heads; now: Heads; moves: readonly Move[]; strange: ReadonlySet<string> },
): Promise<{ added: string[]; lost: string[] }> {
  const { root } = runtime.config;
  const { db } = runtime.store;
  const vouched = [...before.values()].filter((commit) => !strange.has(commit));
  const fresh = new Map<string, Commit>();
  const pairs = new Map(moves.map((move) => [`${move.from} ${move.to}`, move]));
  for (const { from, to } of pairs.values())
    for (const each of await commitsBeyond(root, [to], [...new Set([from, ...vouched])])) fresh.set(each.commit, each);
  const gone = await commitsBeyond(root, [...new Set(moves.map(({ from }) => from))], [...new Set(now.values())]);
  const told = new Set((await movesOf(db, runKey)).flatMap((move) => [...move.added, ...move.lost]));
  const untold = [...fresh.values()].filter(({ commit }) => !told.has(commit));
  const lost = gone.map(({ commit }) => commit).filter((commit) => !told.has(commit));
  return { added: await foreignAmong(db, root, untold), lost };
}

interface Told {
  readonly text: string;
  readonly agents: readonly string[];
  readonly units: readonly string[];
  readonly moves: readonly Move[];
  readonly added: readonly string[];
  readonly lost: readonly string[];
}

/** Event, escalation to a person, who alone can say that a commit was theirs, and an urgent message to the lead. */
async function tell({ call, write }: GuardContext, run: RunRow, told: Told): Promise<void> {
  const [first] = told.moves;
  const about = `history:${(told.added[0] ?? told.lost[0] ?? first?.to ?? "").slice(0, 12)}`;
  const { text, units, agents, moves, added, lost } = told;
  await write("guard_history", async (ctx) => {
    ctx.record({
      type: HISTORY_MOVED,
      subject: run.key,
      before: { at: moves.map(({ ref, from }) => `${ref} ${from}`) },
      after: { at: moves.map(({ ref, to }) => `${ref} ${to}`), agents, text, added, lost, units, about },
    });
    const reason = `${text} A person who has done it says so with override; else it is taken back. Until then the validation of ${units.join(", ")} fails.`;
    const where = { scope: about, unitKey: null, taskKey: null, runId: Number(run.id) };
    const { key } = await raiseEscalation(ctx, { ...where, operation: "gate", reason, exhausted: true });
    await insertMessage(ctx, {
      kind: "BLOCKER",
      sender: systemPrincipal,
      recipient: { name: "lead", key: `lead:${call.session}` },
      text: `${text} This is what was seen, not who has done it: a person may commit here, too. Have the commit taken back and its changes left, or a person settles ${key} with override. Until then the validation of ${units.join(", ")} fails.`,
      runId: Number(run.id),
    });
  });
}
