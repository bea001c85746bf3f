import { practiceOn } from "../../config/practices.rules.ts";
import { type Dispute, decide, type Matter, type Support, urgencyOf, type Verdict } from "./consensus.rules.ts";
import type { Member } from "./people.rules.ts";
import { cardOf, change, dayOf, isoAt, type SprintPlay, type TeamPlay } from "./play.ts";
import { type Random, randomStream } from "./random.rules.ts";
import type { PairSession } from "./state.rules.ts";
import { round } from "./work.rules.ts";

const approaches = ["small steps behind a flag", "the interface first", "a failing test first", "a thin slice first"];
const AS_IT_IS = "hand it in as it is";
const MEND = "mend it once more";
/** What one more round of mending takes, in points, and what it spares the review. */
const MENDING = { points: 0.25, risk: 0.05 };

export interface PairAtWork {
  readonly key: string;
  readonly driver: Member;
  /** Somebody who has left the team since is known by the id alone. */
  readonly navigator: { readonly id: string; readonly member: Member | undefined };
  /** All rounds of mending were needed. */
  readonly mendedOut: boolean;
}

type Settled = Pick<PairSession, "outcome" | "decisions" | "decision_ids" | "exchanges" | "approved_by">;

/**
 * What a pair decides: an approach in its brainstorm, and whether the work is handed in, which both approve. What they do
 * not agree on climbs to the dev lead, a vote with the product owner or the stakeholder, and takes the team's time
 * (AG-07, AG-08). The chances are a stream of their own: without consensus nothing else changes.
 */
export function settle(play: SprintPlay, team: TeamPlay, pair: PairAtWork): Settled {
  const { state, config } = play;
  const { key, driver, navigator, mendedOut } = pair;
  const both = [driver.id, navigator.id];
  const { rejections } = cardOf(play, key);
  if (!practiceOn(config, team.id, "consensus")) {
    const decisions = [randomStream(state.seed, "approach", key, rejections).pick(approaches)];
    const outcome = mendedOut ? "escalated" : "completed";
    return { outcome, decisions, decision_ids: [nextDecision(play, team)], exchanges: 1, approved_by: both };
  }
  const random = randomStream(state.seed, "consensus", key, rejections);
  const options = [random.pick(approaches), random.pick(approaches)] as const;
  const approach = resolve(play, team, { pair, random, options, matter: "technical", about: "how to begin" });
  const settled = [approach];
  const doubts = mendedOut || random.chance(DOUBT);
  if (doubts) {
    const matter = mendedOut ? "technical" : "product";
    const approval = resolve(play, team, {
      pair,
      random,
      options: [AS_IT_IS, MEND],
      matter,
      about: "whether it is done",
    });
    settled.push(approval);
    if (approval.verdict.option === MEND) {
      team.debt += MENDING.points;
      change(play, key, { risk: cardOf(play, key).risk - MENDING.risk });
    }
  }
  const approval = settled[1]?.verdict.tier ?? "pair";
  return {
    outcome: settled.some(({ verdict }) => verdict.tier !== "pair") ? "escalated" : "completed",
    decisions: settled.map(({ verdict }) => verdict.option),
    decision_ids: settled.map(({ id }) => id),
    exchanges: approach.verdict.exchanges,
    approved_by: approval === "pair" ? both : [driver.id],
  };
}

/** How often a navigator does not think it done although the gates are passed. */
const DOUBT = 0.04;

function nextDecision(play: SprintPlay, team: TeamPlay): string {
  team.decided += 1;
  return numbered("D", play.n, team.decided);
}

function numbered(letter: string, n: number, count: number): string {
  return `${letter}-${String(n).padStart(2, "0")}-${String(count).padStart(3, "0")}`;
}

interface Matters {
  readonly pair: PairAtWork;
  readonly random: Random;
  /** The driver's and the navigator's; the same where they agree at once. */
  readonly options: readonly [string, string];
  readonly matter: Matter;
  readonly about: string;
}

function resolve(play: SprintPlay, team: TeamPlay, matters: Matters): { id: string; verdict: Verdict } {
  const id = nextDecision(play, team);
  const verdict = decide(disputeOf(play, team, matters), play.config.consensus);
  if (verdict.tier !== "pair") escalate(play, team, { ...matters, id, verdict });
  return { id, verdict };
}

/** Opinions of everybody who may be asked, drawn whether they are asked or not. */
function disputeOf(play: SprintPlay, team: TeamPlay, { pair, random, options, matter }: Matters): Dispute {
  const [mine, theirs] = options;
  const { lead, owner } = deciders(team);
  const exchanges = [];
  for (let index = 0; index < play.config.consensus.max_exchanges; index += 1) {
    const comesRound = random.chance(yields(pair));
    const isMine = random.chance(0.5);
    const common = isMine ? mine : theirs;
    exchanges.push([
      leaning(comesRound ? common : mine, options, 0.8),
      leaning(comesRound ? common : theirs, options, 0.8),
    ] as const);
  }
  const opinion = (own?: string) => {
    const favoured = random.chance(0.5) ? mine : theirs;
    return leaning(own ?? favoured, options, 0.5 + random.float() / 2);
  };
  // a lead who is one of the pair stands by what it has said there
  const leadsOwn = lead === pair.driver.id ? mine : lead === pair.navigator.id ? theirs : undefined;
  const [leads, owns, stakeholder] = [opinion(leadsOwn), opinion(), opinion()];
  return {
    matter,
    exchanges,
    ...(lead ? { lead: leads, leadIsParty: leadsOwn !== undefined } : {}),
    ...(owner ? { owner: owns } : {}),
    stakeholder,
  };
}

function leaning(option: string, [mine, theirs]: readonly [string, string], part: number): Support {
  if (mine === theirs) return { [mine]: 1 };
  return { [mine]: option === mine ? part : 1 - part, [theirs]: option === theirs ? part : 1 - part };
}

/** How likely one exchange ends a disagreement: the greater, the further apart in experience. */
function yields({ driver, navigator }: PairAtWork): number {
  const order = ["junior", "mid", "senior"] as const;
  const gap = Math.abs(
    order.indexOf(driver.seniority) - order.indexOf(navigator.member?.seniority ?? driver.seniority),
  );
  return 0.55 + 0.15 * gap;
}

/** Ids of those who decide above a pair. */
function deciders(team: TeamPlay): { lead: string | undefined; owner: string | undefined } {
  const having = (role: Member["role"]) => team.workers.find(({ member }) => member.role === role)?.member.id;
  return { lead: having("dev_lead"), owner: having("product_owner") };
}

function escalate(play: SprintPlay, team: TeamPlay, what: Matters & { id: string; verdict: Verdict }): void {
  const { config, n, stage } = play;
  const { pair, options, matter, about, id, verdict } = what;
  const card = cardOf(play, pair.key);
  const costs = config.consensus.cost_points;
  const cost = verdict.path.reduce((sum, tier) => sum + (tier === "pair" ? 0 : costs[tier]), 0);
  const names = deciders(team);
  const nameOf = { dev_lead: names.lead, product_owner: names.owner, stakeholder: "stakeholder" };
  team.debt += cost;
  team.escalations.push({
    id: numbered("E", n, team.escalations.length + 1),
    decision_id: id,
    sprint: n,
    task_id: pair.key,
    at: isoAt(stage.clock.now),
    raised_by: pair.driver.id,
    tier: verdict.tier,
    path: verdict.path,
    exchanges: verdict.exchanges,
    matter,
    context: `${pair.driver.id} and ${pair.navigator.id} do not agree ${about}: ${card.title}`,
    options: [
      { option: options[0], favoured_by: [pair.driver.id] },
      { option: options[1], favoured_by: [pair.navigator.id] },
    ],
    recommendation: options[0],
    urgency: urgencyOf({
      isHotfix: card.kind === "hotfix",
      othersWait: card.resolves !== undefined,
      daysLeft: config.sprint.days - dayOf(play),
    }),
    votes: verdict.ballots.map((ballot) => ({
      ...ballot,
      voter: nameOf[ballot.voter] ?? ballot.voter,
      weight: round(ballot.weight, 3),
      support: round(ballot.support, 3),
    })),
    share: round(verdict.share, 3),
    decision: verdict.option,
    cost_points: round(cost, 3),
  });
}
