import type { Member } from "./people.rules.ts";
import type { Random } from "./random.rules.ts";
import type { Learning, TeamRecord } from "./state.rules.ts";

/** What one agent says in a retrospective (requirement AG-06). */
export interface Voice {
  readonly agent: string;
  readonly name: string;
  readonly keep: string;
  readonly drop: string;
  readonly puzzle: string;
}

/** Each agent speaks of what the sprint's numbers show; which of it is chance, by its own stream. */
export function voicesOf(
  record: TeamRecord,
  members: readonly Member[],
  randomFor: (member: Member) => Random,
): Voice[] {
  return members.map((member) => {
    const random = randomFor(member);
    return {
      agent: member.id,
      name: member.name,
      keep: random.pick(keeps(record)),
      drop: random.pick(drops(record)),
      puzzle: random.pick(puzzles(record)),
    };
  });
}

function keeps(record: TeamRecord): string[] {
  return [
    ...(record.pairing_sessions > 0
      ? [`Pairing: ${record.pairing_sessions} sessions found faults before review.`]
      : []),
    ...(record.rejections === 0 && record.reviews > 0 ? ["Reviews at once: nothing came back."] : []),
    ...((record.test_coverage ?? 0) >= 0.85 ? ["Tests first: coverage stays above the gate."] : []),
    ...(record.borrowed_in.length > 0 ? [`Help from outside: ${record.borrowed_in.join(", ")} brought new eyes.`] : []),
    "Small cards that are done within days.",
  ];
}

function drops(record: TeamRecord): string[] {
  return [
    ...(record.wip_refusals > 0 ? ["Starting more than we finish: the board refused new work."] : []),
    ...(record.rejections > 0 ? [`Handing in too early: ${record.rejections} came back from review.`] : []),
    ...(record.gate_failures > 0 ? ["Leaving tests for the end: the gates sent work back."] : []),
    ...(record.planned_points > record.velocity ? ["Planning more than we have done before."] : []),
    "Meetings in the middle of the morning.",
  ];
}

function puzzles(record: TeamRecord): string[] {
  return [
    ...(record.cards_blocked > 0
      ? [`How do we see sooner that another team is needed? ${record.cards_blocked} waited.`]
      : []),
    ...record.disturbances.map(({ kind }) => `What would have kept ${kind.replaceAll("_", " ")} from costing us?`),
    ...(record.borrowed_out.length > 0
      ? [`Who takes over while ${record.borrowed_out.join(", ")} helps elsewhere?`]
      : []),
    "Which of our tests has never failed?",
  ];
}

export function renderRetro(team: string, record: TeamRecord, voices: readonly Voice[]): string {
  const lines = [
    `# Retrospective of ${team}, sprint ${record.sprint}`,
    "",
    `Velocity ${record.velocity} points, ${record.features_completed} done, ${record.rejections} sent back, ${record.cards_blocked} blocked.`,
    "",
  ];
  for (const word of ["keep", "drop", "puzzle"] as const) {
    lines.push(`## ${word.toUpperCase()}`, "", ...voices.map((voice) => `- ${voice.name}: ${voice[word]}`), "");
  }
  return lines.join("\n");
}

/** One line per agent and kind; an agent applies its own only (requirement AG-06). */
export function learningsOf(sprint: number, voices: readonly Voice[], applied: boolean): Learning[] {
  return voices.flatMap((voice) =>
    (["keep", "drop", "puzzle"] as const).map((kind) => ({
      sprint,
      agent_id: voice.agent,
      learning_type: kind,
      content: { text: voice[kind] },
      // a puzzle is not answered yet
      applied: applied && kind !== "puzzle",
    })),
  );
}
