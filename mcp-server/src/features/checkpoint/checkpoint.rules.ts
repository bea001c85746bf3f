import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { Question } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { CheckpointReport } from "./checkpoint.schema.ts";

/** Only a person decides (requirement FP-08): no lead, no agent, no CI, and nobody whom no one vouches for. */
export function checkMayDecide(key: string, principal: Principal): void {
  if (principal.kind === "human") return;
  throw new TeamwrightError(
    "FORBIDDEN",
    `${key} waits for a person, who answers in a terminal of their own or in the session's own dialog; nobody else can.`,
    hint("brief_show", "shows what waits"),
  );
}

/** Of two answers the first counts. */
export function checkPending(row: { key: string; status: string; decided_by_name: string | null }): void {
  if (row.status === "pending") return;
  throw new TeamwrightError(
    "CONFLICT",
    `${row.key} was ${row.status} already, by ${plainLine(row.decided_by_name ?? "somebody", 60)}.`,
    hint("checkpoint_list", "with its id shows what was decided"),
  );
}

const MAX_SHOWN = 1500;

/** The question as a person sees it in a dialog: without control characters, each part cut to a screen's worth. */
export function questionOf(row: {
  readonly key: string;
  readonly kind: string;
  readonly title: string;
  readonly about: string;
  readonly requested_by_name: string;
  readonly report: CheckpointReport;
}): Question {
  const { report } = row;
  const parts: [string, string | undefined][] = [
    ["Done", report.done],
    ["Decisions", report.decisions],
    ["Next", report.plan],
    ["Questions", report.questions],
  ];
  const shown = parts.flatMap(([head, text]) => (text === undefined ? [] : [`${head}: ${plainText(text)}`]));
  return {
    message: [
      `Checkpoint ${row.key} (${row.kind}): ${plainLine(row.title, 200)}`,
      `${plainLine(row.requested_by_name, 60)} asks${aboutWords(row.about)}; that work waits for your answer.`,
      ...shown,
    ].join("\n"),
    choices: [
      { value: "approve", label: "Approve" },
      { value: "reject", label: "Reject" },
    ],
  };
}

/** What a request without unit, task or run is about goes by the key of whoever made it, which tells a person nothing. */
export function aboutWords(about: string): string {
  return /^(lead|agent|human|service|unverified):/.test(about) ? "" : ` about ${plainLine(about, 80)}`;
}

function plainText(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => plainLine(line, 300));
  const whole = lines.filter((line) => line !== "").join("\n");
  return whole.length > MAX_SHOWN ? `${whole.slice(0, MAX_SHOWN)}… (cut; checkpoint list shows the rest)` : whole;
}
