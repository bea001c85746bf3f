/** What is counted of a team in a window of time; the rules below know nothing else. */
export interface PerformanceFacts {
  /** Sprints that share time with the window, and those of them that ended in it. */
  readonly sprints: number;
  readonly sprintsEnded: number;
  /** Tasks closed as done in the window, epics left out: they count by their parts. */
  readonly done: number;
  /** Of the sprints that ended: story points, and agents at the end of each, added up. */
  readonly points: number;
  readonly agentSprints: number;
  /** Tasks handed in for review in the window, and those of them that were sent back. */
  readonly handedIn: number;
  readonly sentBack: number;
  /** Tasks whose being done was taken back in the window, and these with the done ones, each once. */
  readonly reopened: number;
  readonly doneOrReopened: number;
  /** Of the done tasks, those from which a bug was discovered after they were closed. */
  readonly defective: number;
  /** What other teams asked for in the window, and what of it was given. */
  readonly loansAsked: number;
  readonly loansGiven: number;
  readonly needsAsked: number;
  readonly needsResolved: number;
  readonly questionsAsked: number;
  readonly questionsAnswered: number;
  /** Facts recorded in the window that still stand. */
  readonly learned: number;
}

/** Below these a share says more about chance than about the team. */
export const LEAST_TASKS = 5;
export const LEAST_ASKS = 3;

export const measureNames = [
  "velocity",
  "velocity_points",
  "quality_score",
  "cost_efficiency",
  "collaboration_score",
  "innovation_index",
] as const;
export type MeasureName = (typeof measureNames)[number];

/** A number with all that is needed to check it. */
export interface Measure {
  readonly name: MeasureName;
  readonly unit: string;
  /** Smallest and largest value it can have. */
  readonly range: string;
  readonly formula: string;
  /** Where the counts of the formula come from. */
  readonly source: string;
  /** What is missing when there is no value. */
  readonly least: string;
  /** The counts the formula speaks of. */
  basis(facts: PerformanceFacts): Readonly<Record<string, number>>;
  /** Undefined where there is too little data. */
  of(facts: PerformanceFacts): number | undefined;
}

/** Requirements ME-02, ME-03, C-23: the seed defines the first alone; the others are ours and say what they are. */
export const measures: readonly Measure[] = [
  {
    name: "velocity",
    unit: "tasks per sprint",
    range: "0 and more",
    formula: "done ÷ sprints; 0 without sprints",
    source:
      "done: tasks closed as done from the window's first to its last moment, epics left out. sprints: those that share time with the window, the running one too.",
    least: "",
    basis: ({ done, sprints }) => ({ done, sprints }),
    of: ({ done, sprints }) => (sprints === 0 ? 0 : done / sprints),
  },
  {
    name: "velocity_points",
    unit: "story points per sprint",
    range: "0 and more",
    formula: "points ÷ sprints_ended",
    source:
      "points: story points of the cards done in the sprints that ended in the window, as they were counted then.",
    least: "no sprint has ended",
    basis: ({ points, sprintsEnded }) => ({ points, sprints_ended: sprintsEnded }),
    of: ({ points, sprintsEnded }) => share(points, sprintsEnded),
  },
  {
    name: "quality_score",
    unit: "share",
    range: "0 to 1",
    formula:
      "mean of: 1 − sent_back ÷ handed_in (left out below 5 handed_in), 1 − reopened ÷ done_or_reopened, 1 − defective ÷ done",
    source:
      "handed_in: tasks that went to review; sent_back: those that came back from review or gates. reopened: tasks that were done and opened again. defective: done tasks from which a bug was discovered later.",
    least: `fewer than ${LEAST_TASKS} tasks done`,
    basis: (facts) => ({
      handed_in: facts.handedIn,
      sent_back: facts.sentBack,
      reopened: facts.reopened,
      done_or_reopened: facts.doneOrReopened,
      defective: facts.defective,
      done: facts.done,
    }),
    of: quality,
  },
  {
    name: "cost_efficiency",
    unit: "story points per agent and sprint",
    range: "0 and more",
    formula: "points ÷ agent_sprints",
    source:
      "agent_sprints: agents of the team at the end of each sprint that ended in the window, added up; who was lent counts where the work was done. Money is not in it.",
    least: "no sprint with agents has ended",
    basis: ({ points, agentSprints }) => ({ points, agent_sprints: agentSprints }),
    of: ({ points, agentSprints }) => share(points, agentSprints),
  },
  {
    name: "collaboration_score",
    unit: "share",
    range: "0 to 1",
    formula: "(loans_given + needs_resolved + questions_answered) ÷ (loans_asked + needs_asked + questions_asked)",
    source:
      "What other teams asked of this one in the window: loans (those a rule forbade left out), dependencies on it, questions and blockers sent to its agents. Open ones count as not given.",
    least: `other teams asked fewer than ${LEAST_ASKS} times`,
    basis: (facts) => ({
      loans_given: facts.loansGiven,
      loans_asked: facts.loansAsked,
      needs_resolved: facts.needsResolved,
      needs_asked: facts.needsAsked,
      questions_answered: facts.questionsAnswered,
      questions_asked: facts.questionsAsked,
    }),
    of: collaboration,
  },
  {
    name: "innovation_index",
    unit: "facts per ten tasks",
    range: "0 and more",
    formula: "10 × learned ÷ done",
    source:
      "learned: facts of the knowledge base recorded in the window for the team or from its tasks, and not retired.",
    least: `fewer than ${LEAST_TASKS} tasks done`,
    basis: ({ learned, done }) => ({ learned, done }),
    of: ({ learned, done }) => (done < LEAST_TASKS ? undefined : (10 * learned) / done),
  },
];

function quality(facts: PerformanceFacts): number | undefined {
  if (facts.done < LEAST_TASKS) return undefined;
  const parts = [1 - bounded(facts.reopened, facts.doneOrReopened), 1 - bounded(facts.defective, facts.done)];
  if (facts.handedIn >= LEAST_TASKS) parts.push(1 - bounded(facts.sentBack, facts.handedIn));
  return parts.reduce((sum, part) => sum + part, 0) / parts.length;
}

function collaboration(facts: PerformanceFacts): number | undefined {
  const asked = facts.loansAsked + facts.needsAsked + facts.questionsAsked;
  if (asked < LEAST_ASKS) return undefined;
  return bounded(facts.loansGiven + facts.needsResolved + facts.questionsAnswered, asked);
}

function share(part: number, whole: number): number | undefined {
  return whole > 0 ? part / whole : undefined;
}

/** A part of a whole that was counted at another moment is never more than it. */
function bounded(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}
