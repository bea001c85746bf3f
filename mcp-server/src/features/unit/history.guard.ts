import { type Commit, commitsBeyond, type Heads, headsOf, pathsBetween, presentAmong } from "../../kernel/git-heads.ts";
import type { GuardContext, GuardRule } from "../../kernel/guard-rule.ts";
import { agentsOfSession } from "../agent/agent.store.ts";
import { protectionOf } from "../file/file.rules.ts";
import { matchingGlob } from "../file/glob.rules.ts";
import { activeRun, type RunRow } from "../run/run.store.ts";
import { Flights, OTHERS } from "./flights.ts";
import {
  afterLook,
  decidingGlobs,
  isSame,
  type Moment,
  type Move,
  movesBetween,
  short,
  sightingText,
  waitingUnits,
} from "./history.rules.ts";
import {
  foreignAmong,
  isTaken,
  movesOf,
  type ToldMove,
  tellMove,
  unitCommitsAmong,
  unitsOfAgents,
} from "./history.store.ts";
import { type Look, lastLook, saveLook } from "./look.store.ts";
import { SHELLS } from "./shell.rules.ts";
import { isOpen } from "./unit.rules.ts";
import { type UnitRow, unitsCommitting, unitsOfRun } from "./unit.store.ts";
import { matcherOf, scopeOf } from "./unit-tree.ts";

/** Of one sighting: to take the newest back is not to take all of them back. */
const MOST_KEPT = 2000;
/** git may hang, on a disk that is not there; the client waits ten seconds for all rules together. */
const MOST_WAIT_MS = 5000;

/** Tools that may run git: shells, and those of others that nobody knows. */
const RUNNING = new RegExp(`${SHELLS.source}|${OTHERS.source}`);

/**
 * What a script commits, the look at a command's text does not see. So where branches and HEADs are is read before and
 * after each shell command of an agent or of the lead, and when an agent starts or stops; what has moved without
 * unit_commit, while units are open, is an event and news for the lead. Whatever a command can have done fails the
 * validation of its units until it is settled (requirement FP-05).
 */
export function movedHistoryGuard(): GuardRule {
  const watch = new Watch();
  const at = (moment: Moment) => async (ctx: GuardContext) => {
    await watch.look(ctx, moment);
    return undefined;
  };
  return {
    name: "history-watch",
    promise:
      "What a command of an agent or the lead does to history past unit_commit is an event, told to the lead, and fails the units it concerns until it is taken back or a person has said that it is right.",
    failsClosed: false,
    agentStarts: at("at its start"),
    beforeTool: {
      tools: RUNNING,
      async decide(ctx) {
        if (SHELLS.test(ctx.call.toolName)) await watch.look(ctx, "between commands");
        watch.flights.takesOff(ctx);
        return undefined;
      },
    },
    afterTool: {
      tools: SHELLS,
      async decide(ctx) {
        await watch.look(ctx, "in a command");
        watch.flights.lands(ctx);
        return undefined;
      },
    },
    async agentStops(ctx) {
      await watch.look(ctx, "at its stop");
      watch.flights.ends(ctx);
      return undefined;
    },
    async prompt(ctx) {
      await watch.look(ctx, "at a prompt");
      watch.flights.turnEnds(ctx);
      return undefined;
    },
    async leadStops(ctx) {
      await watch.look(ctx, "at its stop");
      watch.flights.turnEnds(ctx);
      return undefined;
    },
  };
}

interface Suspect {
  /** "" for the lead. */
  readonly agentId: string;
  readonly name: string;
}

class Watch {
  readonly flights = new Flights();
  /** What this process knows to be in the store. */
  #known: Look | undefined;
  /** Somebody else has looked last: whose commands ran meanwhile, this process has not seen. */
  #isOthers = false;
  /** By agent: whose commands ran before a move that could not be judged yet. */
  readonly #suspects = new Map<string, Suspect>();
  #judging: Promise<void> = Promise.resolve();
  #waiting = 0;

  async look(ctx: GuardContext, moment: Moment): Promise<void> {
    const { store, config } = ctx.runtime;
    if (store.readOnly) return;
    const run = await activeRun(store.db, ctx.call.session);
    const now = run && (await headsOf(config.root));
    if (!run || !now) return;
    const known = await this.#recall(ctx, run);
    if (known && isSame(known.heads, now)) {
      this.#isOthers = false;
      this.#suspects.clear();
      this.flights.seen(ctx);
      return;
    }
    if (known) this.#suspect(ctx, moment);
    // one at a time: of two agents who see the same move the first tells it, and one who waits looks for all
    if (this.#waiting > 1) return;
    this.#waiting += 1;
    const turn = this.#judging.then(() => this.#judge(ctx, run, moment)).finally(() => (this.#waiting -= 1));
    this.#judging = turn.catch(() => {});
    if ((await inTime(turn, MOST_WAIT_MS)) === "late") return;
    this.flights.seen(ctx);
  }

  #suspect(ctx: GuardContext, moment: Moment): void {
    const { call, principal } = ctx;
    if (moment === "in a command") this.#suspects.set(call.agentId, { agentId: call.agentId, name: principal.name });
    for (const { agentId, name } of this.flights.others(ctx)) this.#suspects.set(agentId, { agentId, name });
  }

  async #recall({ runtime }: GuardContext, run: RunRow): Promise<Look | undefined> {
    const found = await lastLook(runtime.store.db, Number(run.id), this.#known);
    if (found && found !== this.#known) this.#isOthers = true;
    this.#known = found;
    return found;
  }

  async #judge(ctx: GuardContext, run: RunRow, moment: Moment): Promise<void> {
    const { db } = ctx.runtime.store;
    const before = await this.#recall(ctx, run);
    const suspects = [...this.#suspects.values()];
    const now = await headsOf(ctx.runtime.config.root);
    if (!now || (before && isSame(before.heads, now))) return;
    // a commit of ours is written down when its gates have passed: then is the time to judge
    if (before && (await unitsCommitting(db, ctx.runtime.now())).length > 0) return;
    const told = before && (await this.#sighting(ctx, run, { before, now, moment, suspects }));
    this.#known = await ctx.write("guard_history", async (trx) => {
      const next = afterLook(before ?? { heads: now, strange: new Set() }, now);
      const saved = await saveLook(trx, Number(run.id), before, next);
      if (saved && told) await tellMove(trx, run, told);
      return saved;
    });
    this.#isOthers = this.#known === undefined;
    if (this.#known) for (const { agentId } of suspects) this.#suspects.delete(agentId);
  }

  /** What is to be told of it; undefined where nothing is, or no unit is open. */
  async #sighting(
    ctx: GuardContext,
    run: RunRow,
    { before, now, moment, suspects }: { before: Look; now: Heads; moment: Moment; suspects: readonly Suspect[] },
  ): Promise<ToldMove | undefined> {
    const { call, runtime, principal } = ctx;
    const { db } = runtime.store;
    const moves = movesBetween(before.heads, now);
    const open = (await unitsOfRun(db, Number(run.id))).filter((unit) => isOpen(unit.phase));
    if (moves.length === 0 || open.length === 0) return undefined;
    const { added, lost } = await unreviewed(ctx, run.key, { before, now, moves, open });
    if (added.length + lost.length === 0) return undefined;
    const beside = [...suspects, ...this.flights.others(ctx)];
    const others = moment === "in a command" ? beside.filter(({ agentId }) => agentId !== call.agentId) : beside;
    const isQuiet = moment !== "in a command" && others.length === 0 && !(await this.#isUnsure(ctx));
    const agents = [...new Set([call.agentId, ...others.map(({ agentId }) => agentId)])].filter((id) => id !== "");
    const names = [...new Set(others.map(({ name }) => name))].filter((name) => name !== principal.name);
    const keys = open.map(({ key }) => key);
    const own = await unitsOfAgents(db, Number(run.id), agents);
    const units = waitingUnits({ isQuiet, ...(await concerned(ctx, open, moves, lost)), own, open: keys });
    return {
      session: call.session,
      text: sightingText({ moves, added, lost, moment, agent: principal.name, others: names }),
      agents: units.length > 0 ? agents : [],
      units,
      open: keys,
      moves,
      about: `history:${short(added[0] ?? lost[0] ?? "")}`,
      added: added.slice(0, MOST_KEPT),
      lost: lost.slice(0, MOST_KEPT),
    };
  }

  /** After a restart commands may have run that nobody here has seen begin. */
  async #isUnsure({ call, runtime }: GuardContext): Promise<boolean> {
    if (!this.#isOthers) return false;
    const agents = await agentsOfSession(runtime.store.db, call.session);
    return agents.some((row) => row.ended_at === null);
  }
}

/** Open units that work in the project's tree, by what the move has done to their files and to what they stand on. */
async function concerned(
  { runtime }: GuardContext,
  open: readonly UnitRow[],
  moves: readonly Move[],
  lost: readonly string[],
): Promise<{ touched: string[]; cutOff: string[]; isForAll: boolean }> {
  const { config, store } = runtime;
  const { root } = config;
  const begun = open.filter((unit) => unit.base !== null);
  const pairs = new Map(moves.map(({ from, to }) => [`${from} ${to}`, [from, to] as const]));
  const there = await presentAmong(root, [...new Set([...pairs.values()].flat())]);
  const readable = [...pairs.values()].filter((pair) => pair.every((commit) => there.has(commit)));
  const paths = await pathsBetween(root, readable);
  // where a branch was that is made anew, git forgets in time; where we stand, it does not
  const isBlind = moves.some(({ ref, from, to }) => !there.has(to) || (ref === "HEAD" && !there.has(from)));
  const touched = begun.filter((unit) => unit.worktree === null && paths.some(matcherOf(scopeOf(unit))));
  const cutOff = begun.filter((unit) => lost.includes(unit.base ?? ""));
  const reviewed = await unitCommitsAmong(store.db, lost);
  const globs = decidingGlobs(config);
  const decides = (path: string) =>
    matchingGlob(globs, path) !== undefined || protectionOf(config.protected, path) !== undefined;
  return {
    touched: touched.map(({ key }) => key),
    cutOff: cutOff.map(({ key }) => key),
    isForAll: reviewed.size > 0 || isBlind || paths.some(decides),
  };
}

/** Commits that are new and not unit_commit's, and commits that no branch has any more, less what was told already. */
async function unreviewed(
  { runtime }: GuardContext,
  runKey: string,
  { before, now, moves, open }: { before: Look; now: Heads; moves: readonly Move[]; open: readonly UnitRow[] },
): Promise<{ added: string[]; lost: string[] }> {
  const { root } = runtime.config;
  const { db } = runtime.store;
  const vouched = [...new Set(before.heads.values())].filter((commit) => !before.strange.has(commit));
  const fresh = new Map<string, Commit>();
  const note = (found: readonly Commit[]) => {
    for (const each of found) fresh.set(each.commit, each);
  };
  const tips = [...new Set(moves.map(({ to }) => to))];
  note(await commitsBeyond(root, [...new Set(goneOn(moves, before).map(({ to }) => to))], vouched));
  for (const { from, to } of moves)
    if (before.strange.has(from)) note(await commitsBeyond(root, [to], [from, ...vouched]));
  // a commit that is not there to be read is none that anybody has made through us
  const there = await presentAmong(root, tips);
  note(tips.filter((commit) => !there.has(commit)).map((commit) => ({ commit, parents: [] })));
  const gone = await commitsBeyond(root, [...new Set(moves.map(({ from }) => from))], [...new Set(now.values())]);
  const told = await movesOf(db, runKey);
  const all = new Set(told.flatMap((move) => [...move.added, ...move.lost]));
  const untold = [...fresh.values()].filter(({ commit }) => !all.has(commit));
  // to take back what waits for a person is asked for, and not what somebody may keep
  const wanted = new Set(told.flatMap(({ lost }) => lost));
  for (const { units, added, about } of told)
    if (units.length > 0 && !(await isTaken(db, about))) for (const commit of added) wanted.add(commit);
  const bases = new Set(open.map(({ base }) => base));
  const lost = gone.map(({ commit }) => commit).filter((commit) => !wanted.has(commit) || bases.has(commit));
  return { added: await foreignAmong(db, root, untold), lost };
}

/** Moves from where somebody has vouched for: they are looked at together. */
function goneOn(moves: readonly Move[], { strange }: Look): Move[] {
  return moves.filter(({ from }) => !strange.has(from));
}

/** "late" when it is not done in time; it goes on. */
async function inTime(work: Promise<void>, ms: number): Promise<"done" | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((done) => {
    timer = setTimeout(() => done("late"), ms);
  });
  return Promise.race([work.then(() => "done" as const), late]).finally(() => clearTimeout(timer));
}
