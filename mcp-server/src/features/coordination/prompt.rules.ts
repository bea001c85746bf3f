import { type Facts, listed, needLine, type TeamFacts, teamLine } from "./facts.rules.ts";

/** What stands around the facts in a prompt. */
export interface PromptSetting {
  /** Names the round, so that the coordinator can record under it. */
  readonly round: string;
  /** `## Time Context` and its lines (requirement OH-05); absent without a deadline. */
  readonly timeContext?: string | undefined;
}

const MOST_NEEDS = 40;

/** What the evaluator is asked before a sprint (requirement CO-07). */
export function evaluationPrompt(facts: Facts, { round, timeContext }: PromptSetting): string {
  return sections([
    `You are asked for the evaluation of round ${round}, before sprint ${facts.sprint}. The server has measured what follows; no team has written any of it.`,
    timeContext,
    teamHealth(facts),
    needsOf(facts),
    lastResults(facts),
    [
      "## Questions",
      "1. Which team struggles, and which number shows it? None is an answer.",
      "2. Which dependency holds work back, and what would resolve it?",
      "3. Would an agent of one team help another, and with what?",
      "4. What do you recommend?",
    ].join("\n"),
    "Your last message is the evaluation: at most 30 lines, the numbers first, then one line `RECOMMEND: …` for each recommendation.",
  ]);
}

/** What the evaluator is asked in the middle of a sprint: nobody is moved (requirement CO-04). */
export function checkinPrompt(facts: Facts, { round, timeContext }: PromptSetting): string {
  return sections([
    `You are asked for the check-in of round ${round}, in the middle of sprint ${facts.sprint}. It observes: no agent is lent before the next sprint.`,
    timeContext,
    teamHealth(facts),
    needsOf(facts),
    "Your last message is one line `RECOMMEND: …` for each thing that cannot wait until the sprint ends, at most ten; `RECOMMEND: none` when all is well.",
  ]);
}

/** What the evaluator is asked before the first sprint: to find its way, and to say what teams should know (OH-04). */
export function orientationPrompt(
  facts: Facts,
  setup: { readonly text: string; readonly assigns: boolean },
  { round, timeContext }: PromptSetting,
): string {
  return sections([
    `You are asked for the orientation of round ${round}, before sprint ${facts.sprint}. The server has read what follows from configuration and backlog.`,
    timeContext,
    setup.text,
    [
      "## Questions",
      "1. Which team is for what, and where do two of them touch the same thing?",
      "2. Which stories need more than one team, and which of them should come first?",
      "3. What do the leads have to agree on before they start?",
    ].join("\n"),
    `Your last message is the orientation, told to all teams: at most 20 lines, then one line \`RECOMMEND: …\` for each recommendation${setup.assigns ? " and, for each story whose team you know, one line `ASSIGN: <story> to <team> because <reason>`; the others go by a heuristic" : ""}. The server gives the stories out as soon as you have answered.`,
  ]);
}

/** What the planner is asked (requirement CO-08): ids included, so that none has to be guessed. */
export function planPrompt(
  facts: Facts,
  evaluation: { readonly text: string; readonly fenced: (label: string, text: string) => string },
  { round, timeContext }: PromptSetting,
): string {
  const mayLend = facts.max_borrows > 0;
  return sections([
    `You are asked for the plan of round ${round}, before sprint ${facts.sprint}.`,
    timeContext,
    `## Evaluation\n${evaluation.fenced("evaluation", evaluation.text)}`,
    ["## Team Summary", ...facts.teams.map((team) => `${teamLine(team)}, ${debtWords(team.debt)}`)].join("\n"),
    [
      "## Agents That May Be Lent",
      ...facts.teams.map((team) => `- ${team.team}: ${mayLend ? listed(withExperience(team)) : "none"}`),
    ].join("\n"),
    needsOf(facts),
    [
      "## What You May Ask For",
      ...(mayLend ? ["BORROW: <agent> from <team> to <team> because <reason>"] : []),
      "RECOMMEND: <what, and for which team>",
      mayLend
        ? `One action per line, agents and teams by the ids above. At most ${facts.max_borrows} ${facts.max_borrows === 1 ? "loan is" : "loans are"} granted, each for ${facts.duration_sprints} ${facts.duration_sprints === 1 ? "sprint" : "sprints"}; of several, teams that have lent more are helped first.`
        : "One action per line. This project only observes: no agent is lent.",
    ].join("\n"),
    "Your last message is the plan: those lines, and before them at most ten lines of reasons. The server carries it out at once and tells all teams what was granted and what was refused.",
  ]);
}

/** Those first who know another team from an earlier loan: they settle fastest (requirement BO-12). */
function withExperience({ lendable, worked_in: earlier = {} }: TeamFacts): string[] {
  const known = lendable.filter((agent) => earlier[agent] !== undefined);
  const others = lendable.filter((agent) => earlier[agent] === undefined);
  return [...known.map((agent) => `${agent} (has worked in ${(earlier[agent] ?? []).join(", ")})`), ...others];
}

function sections(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join("\n\n");
}

function teamHealth(facts: Facts): string {
  return ["## Team Health", ...facts.teams.map(teamLine)].join("\n");
}

function needsOf({ needs }: Facts): string {
  const head = "## Cross-Team Dependencies";
  if (!needs) return `${head}\nNot tracked`;
  if (needs.length === 0) return `${head}\nNone detected`;
  const more = needs.length - MOST_NEEDS;
  return [head, ...needs.slice(0, MOST_NEEDS).map(needLine), ...(more > 0 ? [`- and ${more} more`] : [])].join("\n");
}

function lastResults({ last }: Facts): string {
  const head = "## Last Sprint Results";
  if (!last) return `${head}\nNo prior results`;
  const lines = last.teams.map(({ team, velocity, done }) => `- ${team}: ${velocity} points, ${done} done`);
  return [`${head}`, `Sprint ${last.n}:`, ...lines].join("\n");
}

function debtWords(debt: number): string {
  if (debt === 0) return "borrow debt even";
  const sprints = Math.abs(debt) === 1 ? "1 sprint" : `${Math.abs(debt)} sprints`;
  return debt > 0 ? `has lent ${sprints} more than it borrowed` : `has borrowed ${sprints} more than it lent`;
}
