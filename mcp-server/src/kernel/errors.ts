/** Closed list: a surface maps every code, and nothing else ever reaches a caller. */
export const errorCodes = [
  "INVALID_INPUT",
  "NOT_FOUND",
  "CONFLICT",
  "FORBIDDEN",
  "RULE_VIOLATED",
  "OVER_LIMIT",
  "BLOCKED",
  "UNAVAILABLE",
  "INTERNAL",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** The next legal step. `operation` names one of our operations; a test resolves every literal one. */
export interface Hint {
  readonly operation: string;
  readonly text: string;
}

/** Builds a hint: `hint("task_ready", "lists what you can claim")`. */
export function hint(operation: string, text: string): Hint {
  return { operation, text };
}

/** The only error a rule or a store throws on purpose. The message is one sentence, safe to show to a model. */
export class TeamwrightError extends Error {
  readonly code: ErrorCode;
  readonly hint: Hint | undefined;
  /** All problems found at once, for input and config errors. */
  readonly problems: readonly string[];

  constructor(code: ErrorCode, message: string, next?: Hint, problems: readonly string[] = []) {
    super(message);
    this.name = "TeamwrightError";
    this.code = code;
    this.hint = next;
    this.problems = problems;
  }
}

/** What a surface shows: one line, the problems if several, and the next step. */
export function renderError(error: TeamwrightError, nameOf = (operation: string) => operation): string {
  const lines = [`${error.code}: ${error.message}`];
  for (const problem of error.problems) lines.push(`- ${problem}`);
  if (error.hint) lines.push(`Next: ${nameOf(error.hint.operation)} ${error.hint.text}.`);
  return lines.join("\n");
}

/** CLI exit codes: 0 fine, 1 refused, 2 wrong usage, 3 store unavailable, 70 a fault of ours. */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  INVALID_INPUT: 2,
  NOT_FOUND: 1,
  CONFLICT: 1,
  FORBIDDEN: 1,
  RULE_VIOLATED: 1,
  OVER_LIMIT: 1,
  BLOCKED: 1,
  UNAVAILABLE: 3,
  INTERNAL: 70,
};
