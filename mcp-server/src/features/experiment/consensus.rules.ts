/** Who decides, from below (requirement AG-08). */
export const tiers = ["pair", "dev_lead", "po_and_lead", "stakeholder"] as const;
export type Tier = (typeof tiers)[number];

/** How much somebody is for each option; the parts sum to 1. */
export type Support = Readonly<Record<string, number>>;

/** Whose field it is: the dev lead's or the product owner's. */
export type Matter = "technical" | "product";

/** What is to be decided, and what everybody thinks of it. Every support is about the same options. */
export interface Dispute {
  readonly matter: Matter;
  /** What driver and navigator think after each exchange, in order; at least one. */
  readonly exchanges: readonly (readonly [Support, Support])[];
  /** Absent where the team has none. */
  readonly lead?: Support;
  /** The lead is one of the pair, and votes, but does not decide alone. */
  readonly leadIsParty?: boolean;
  readonly owner?: Support;
  readonly stakeholder: Support;
}

export interface ConsensusPolicy {
  readonly max_exchanges: number;
  /** From 0.5 to 1. */
  readonly field_weight: number;
  readonly threshold: number;
}

export type Voter = "dev_lead" | "product_owner" | "stakeholder";

export interface Ballot {
  readonly tier: Tier;
  readonly voter: Voter;
  readonly weight: number;
  readonly option: string;
  readonly support: number;
}

export interface Verdict {
  /** Where it was decided. */
  readonly tier: Tier;
  /** Where it was, from below. */
  readonly path: readonly Tier[];
  readonly option: string;
  /** What the option had of the votes at the last tier, 0 to 1. */
  readonly share: number;
  readonly exchanges: number;
  readonly ballots: readonly Ballot[];
}

/**
 * A pair that agrees within its exchanges decides itself. Else the dev lead does, if sure enough; else dev lead and
 * product owner vote by weight; and what gets less than the threshold goes to the stakeholder (requirement AG-08).
 */
export function decide(dispute: Dispute, policy: ConsensusPolicy): Verdict {
  const exchanges = dispute.exchanges.slice(0, policy.max_exchanges);
  const agreed = exchanges.findIndex(([one, other]) => favourite(one) === favourite(other));
  const said = exchanges[agreed];
  if (said) {
    const shares = weighted([
      [said[0], 0.5],
      [said[1], 0.5],
    ]);
    const option = favourite(said[0]);
    return { tier: "pair", path: ["pair"], option, share: shares[option] ?? 0, exchanges: agreed + 1, ballots: [] };
  }
  const ballots: Ballot[] = [];
  const path: Tier[] = ["pair"];
  for (const { tier, voices } of electorates(dispute, policy)) {
    path.push(tier);
    const shares = weighted(voices.map(({ support, weight }) => [support, weight]));
    const option = favourite(shares);
    const share = shares[option] ?? 0;
    ballots.push(...voices.map((voice) => ballotOf(tier, voice)));
    if (tier === "stakeholder" || share >= policy.threshold)
      return { tier, path, option, share, exchanges: exchanges.length, ballots };
  }
  throw new Error("the stakeholder decides always");
}

interface Voice {
  readonly voter: Voter;
  readonly support: Support;
  readonly weight: number;
}

/** Who is asked above the pair, tier by tier; a tier that nobody is in is left out. */
function electorates(dispute: Dispute, policy: ConsensusPolicy): { tier: Tier; voices: Voice[] }[] {
  const { lead, owner, stakeholder, leadIsParty, matter } = dispute;
  const [leads, owns] = weightsOf(matter, policy.field_weight);
  const both: Voice[] = [
    ...(lead ? [{ voter: "dev_lead" as const, support: lead, weight: leads }] : []),
    ...(owner ? [{ voter: "product_owner" as const, support: owner, weight: owns }] : []),
  ];
  return [
    ...(lead && !leadIsParty
      ? [{ tier: "dev_lead" as const, voices: [{ voter: "dev_lead" as const, support: lead, weight: 1 }] }]
      : []),
    ...(both.length > 0 ? [{ tier: "po_and_lead" as const, voices: normalised(both) }] : []),
    { tier: "stakeholder", voices: [{ voter: "stakeholder", support: stakeholder, weight: 1 }] },
  ];
}

/** The dev lead's weight and the product owner's: the greater one is theirs whose field it is. */
function weightsOf(matter: Matter, fieldWeight: number): readonly [lead: number, owner: number] {
  return matter === "technical" ? [fieldWeight, 1 - fieldWeight] : [1 - fieldWeight, fieldWeight];
}

/** Who votes alone has the whole vote. */
function normalised(voices: readonly Voice[]): Voice[] {
  if (voices.length === 1) return voices.map((voice) => ({ ...voice, weight: 1 }));
  return [...voices];
}

/** What each option has of all votes; the shares sum to the sum of the weights. */
export function weighted(votes: readonly (readonly [Support, number])[]): Support {
  const shares: Record<string, number> = {};
  for (const [support, weight] of votes)
    for (const [option, part] of Object.entries(support)) shares[option] = (shares[option] ?? 0) + part * weight;
  return shares;
}

/** The option with the greatest part; of equals the one that is named first. */
export function favourite(support: Support): string {
  let found = "";
  let most = Number.NEGATIVE_INFINITY;
  for (const [option, part] of Object.entries(support)) {
    if (part <= most) continue;
    found = option;
    most = part;
  }
  return found;
}

function ballotOf(tier: Tier, { voter, support, weight }: Voice): Ballot {
  const option = favourite(support);
  return { tier, voter, weight, option, support: support[option] ?? 0 };
}

/** How soon a decision is needed. */
const urgencies = ["low", "normal", "high", "critical"] as const;
export type Urgency = (typeof urgencies)[number];

/** What stops production is critical, what others wait for or what the sprint ends on is high. */
export function urgencyOf(facts: { isHotfix: boolean; othersWait: boolean; daysLeft: number }): Urgency {
  if (facts.isHotfix) return "critical";
  if (facts.othersWait || facts.daysLeft < 1) return "high";
  return facts.daysLeft < 3 ? "normal" : "low";
}
