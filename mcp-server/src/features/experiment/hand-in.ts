import { practiceOn } from "../../config/practices.rules.ts";
import type { Principal } from "../../kernel/principal.ts";
import { settle } from "./consensus.ts";
import { cardOf, change, isoAt, type SprintPlay, type TeamPlay, type Worker } from "./play.ts";
import { randomStream } from "./random.rules.ts";
import type { PairSession } from "./state.rules.ts";
import { measure, mend, type Quality } from "./work.rules.ts";

/** What is done goes through the gates, and then into review; where review is full it stays in hand (AG-10, KB-04). */
export async function handIn(play: SprintPlay, team: TeamPlay, key: string, driver: Worker): Promise<void> {
  const card = cardOf(play, key);
  const pair = team.pairing.get(key);
  if (card.coverage === 0) {
    const random = randomStream(play.state.seed, "quality", key, card.rejections);
    const { quality, rounds } = gated(play, measure(random, driver.member, pair !== undefined, team.regression));
    if (rounds > 0) team.tally.gateFailures += 1;
    change(play, key, { ...quality, fixes: card.fixes + rounds });
    if (rounds > 0) {
      // each round of mending takes a quarter of a point
      change(play, key, { left: rounds * 0.25 });
      return;
    }
  }
  const moved = await play.stage.may(driver.principal, "board_move", { id: key, to: "review" });
  if (!moved) {
    team.tally.wipRefusals += 1;
    return;
  }
  if (pair) closeSession(play, team, key, { driver, pair });
}

/** Rounds of mending until the gates are passed, at most as many as are allowed (AG-10). */
function gated(play: SprintPlay, first: Quality): { quality: Quality; rounds: number } {
  const { line_coverage, branch_coverage, complexity, test_fix_iterations } = play.config.experiment.quality;
  let quality = first;
  let rounds = 0;
  const passes = () =>
    quality.coverage >= line_coverage && quality.branches >= branch_coverage && quality.complexity <= complexity;
  while (!passes() && rounds < test_fix_iterations) {
    quality = mend(quality);
    rounds += 1;
  }
  return { quality, rounds };
}

interface Pair {
  readonly driver: Worker;
  readonly pair: { readonly navigator: string; readonly since: number };
}

function closeSession(play: SprintPlay, team: TeamPlay, key: string, { driver, pair }: Pair): void {
  const { config, state, n, stage } = play;
  team.pairing.delete(key);
  if (!practiceOn(config, team.id, "pairing")) return;
  const card = cardOf(play, key);
  const random = randomStream(state.seed, "session", key, card.rejections);
  const swapped = state.swaps.some((swap) => swap.agent === driver.member.id && swap.to === card.domain);
  const passed = random.between(6, 14) + card.points * 2;
  const navigator = team.workers.find(({ member }) => member.id === pair.navigator)?.member;
  const mendedOut = card.fixes > 0 && card.fixes >= config.experiment.quality.test_fix_iterations;
  const settled = settle(play, team, {
    key,
    driver: driver.member,
    navigator: { id: pair.navigator, member: navigator },
    mendedOut,
  });
  const session: PairSession = {
    sprint: n,
    driver_id: driver.member.id,
    navigator_id: pair.navigator,
    task_id: key,
    start: isoAt(pair.since),
    end: isoAt(stage.clock.now),
    ...settled,
    brainstorm_rounds: config.pairing.brainstorm_rounds,
    checkpoints: config.pairing.checkpoints + (swapped ? config.profile_swapping.extra_checkpoints : 0),
    coverage_estimate: card.coverage,
    files_changed: [`src/${card.domain}/${key}.ts`, `test/${card.domain}/${key}.test.ts`],
    test_results: { passed, failed: 0 },
    commit_sha: [...random.bytes(20)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    pr_url: null,
  };
  team.sessions.push(session);
}

/** Closes what has passed review and tells those who waited for it. */
export async function finish(play: SprintPlay, team: TeamPlay, key: string, holder: Principal): Promise<boolean> {
  const card = cardOf(play, key);
  const closed = await play.stage.may(holder, "task_close", { id: key, outcome: "done", reason: "Passed review." });
  if (!closed) return false;
  team.finished.push({ id: key, title: card.title, points: card.points, by: holder.name });
  team.tally.coverage.push(card.coverage);
  team.tally.branches.push(card.branches);
  if (card.resolves !== undefined)
    await play.stage.may(holder, "dependency_resolve", { id: card.resolves, resolution: `${key} is done` });
  delete play.state.cards[key];
  return true;
}
