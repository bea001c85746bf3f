import { plainLine } from "../../../kernel/fence.ts";

/** Cards that a prompt names; the board has the others. */
export const CARDS_SHOWN = 20;

export interface TeamTask {
  readonly experiment: string;
  readonly sprint: number;
  readonly sprints: number;
  readonly team: { readonly id: string; readonly name: string };
  readonly agents: readonly PromptAgent[];
  /** Ids of those who work elsewhere in this sprint. */
  readonly lent: readonly string[];
  /** Fenced: cards, and what the team has learned, are other agents' words. */
  readonly board: string;
  readonly more: number;
  readonly learned?: string | undefined;
  readonly recommended?: string | undefined;
  readonly minutes: number;
  /** ISO 8601. */
  readonly until: string;
  readonly instructions?: string | undefined;
}

export interface PromptAgent {
  readonly id: string;
  /** Set when it is on loan. */
  readonly from?: string | undefined;
  readonly about: string;
}

/** What the lead of a team is told at the beginning of its session. */
export function teamPrompt(task: TeamTask): string {
  const { team, agents, lent, more } = task;
  return [
    `You lead the team ${team.id} (${plainLine(team.name, 200)}) in sprint ${task.sprint} of ${task.sprints} of the experiment ${task.experiment}. The other teams work at the same time, in sessions of their own, on the same store and in the same working tree.`,
    "",
    "## Time",
    `You have ${task.minutes.toFixed(1)} minutes, until ${task.until}. Then this session is ended, whatever it is doing, and what its agents hold comes free. Only what is closed by then counts.`,
    "",
    "## Your agents",
    agents.length === 0
      ? "Nobody; do the work yourself."
      : "Start them with the Agent tool under exactly these names: the name puts an agent on your board.",
    ...agents.map(
      ({ id, about, from }) =>
        `- ${id}${about === "" ? "" : `: ${about}`}${from === undefined ? "" : `, on loan from ${from}`}`,
    ),
    ...(lent.length === 0 ? [] : [`Lent to other teams: ${lent.join(", ")}.`]),
    "",
    "## Your board",
    task.board,
    ...(more > 0 ? [`${more} more: board_show with team ${team.id}.`] : []),
    ...(task.learned === undefined ? [] : ["", "## What your team wrote down before", task.learned]),
    ...(task.recommended === undefined ? [] : ["", "## What the coordinators recommend", task.recommended]),
    "",
    "## How to work",
    `1. The skill teamwright:leading-a-team says how. Take cards of ${team.id} alone; task_ready with team ${team.id} says what can be begun.`,
    "2. Give each card to one agent (subagent_type teamwright:builder, or as the card asks), as many at once as there are ready cards and the board allows. The agent claims and closes it.",
    "3. What another team has to deliver is declared (dependency_declare) and told its lead (message_send), not done here.",
    "4. Sprints, stories and rounds of coordination are begun by the runner.",
    "5. Stop when every card is closed or waits for somebody else. Your last message ends with these lines, one sentence each:",
    "KEEP: what helped in this sprint",
    "DROP: what to stop doing",
    "PUZZLE: what is not understood yet",
    ...said(task.instructions),
  ].join("\n");
}

/** What the session of a round is told: it starts whom the server names and says nothing itself. */
export function roundPrompt(task: {
  readonly experiment: string;
  readonly round: string;
  readonly kind: "orientation" | "full" | "checkin";
  readonly seconds: number;
  readonly instructions?: string | undefined;
}): string {
  const call = task.kind === "full" ? "coordination_begin" : `coordination_begin with kind ${task.kind}`;
  return [
    `You hold the round of coordination ${task.round} of the experiment ${task.experiment}${when[task.kind]}. About ${Math.round(task.seconds)} seconds remain; after them the round ends without whoever has not spoken.`,
    "",
    `1. Call ${call}. Its answer names an Agent call: make it as it stands, in the foreground (run_in_background false).`,
    `2. When the agent has stopped, call ${call} again, until the answer has an outcome.`,
    "3. End with one sentence. Nothing else is yours to do here.",
    ...said(task.instructions),
  ].join("\n");
}

const when = {
  orientation: ", an orientation before the first sprint",
  full: ", before the next sprint",
  checkin: ", a look in the middle of the sprint",
} as const;

/** The server's own question about stories, and nothing around it but what is said to every session. */
export function triagePrompt(question: string, instructions: string | undefined): string {
  return [question, ...said(instructions)].join("\n");
}

function said(instructions: string | undefined): string[] {
  return instructions === undefined ? [] : ["", "## From whoever runs the experiment", instructions];
}
