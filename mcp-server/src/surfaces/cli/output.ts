import { exitCodes, type TeamwrightError } from "../../kernel/errors.ts";
import type { Operation } from "../../kernel/operation.ts";
import { colourView, plainView } from "../../kernel/view.ts";
import { commandLine } from "./command.ts";
import { flagsOf } from "./flags.ts";

export interface Screen {
  readonly width: number;
  readonly isTerminal: boolean;
  readonly hasColour: boolean;
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
}

export function screen(noColour: boolean): Screen {
  const isTerminal = process.stdout.isTTY === true;
  return {
    width: isTerminal ? Math.max(40, process.stdout.columns ?? 80) : 100,
    isTerminal,
    hasColour: isTerminal && !noColour,
    out: (text) => writeAll(process.stdout, text),
    err: (text) => writeAll(process.stderr, text),
  };
}

/** Resolves when the text has left: the program ends right after. A reader that went away (`| head`) is no error. */
function writeAll(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.once("error", () => resolve());
    stream.write(text.endsWith("\n") ? text : `${text}\n`, () => resolve());
  });
}

export async function renderResult(
  operation: Operation,
  output: Record<string, unknown>,
  to: Screen,
  now: number,
): Promise<string> {
  const safe = (text: string) => (to.isTerminal ? forTerminal(text, to.hasColour) : text);
  const plain = to.hasColour ? colourView(now, to.width) : plainView(now, to.width);
  const next = (operations: readonly string[]) => plain.paint("dim", plain.next(operations.map(commandLine)));
  const view = { ...plain, next };
  if (operation.render) return safe(operation.render(output, view));
  const { stringify } = await import("yaml");
  const { next: _, ...shown } = output;
  return safe(stringify(shown, { lineWidth: to.width }));
}

/** Stored text is other people's: it must not move the cursor or set the title. Colours are kept where they are ours. */
export function forTerminal(text: string, hasColour: boolean): string {
  return text.replace(/\p{Cc}/gu, (character, offset: number) => {
    if (character === "\n" || character === "\t") return character;
    const isColour = character === "\u001b" && /^\[\d{1,2}m/.test(text.slice(offset + 1, offset + 5));
    return hasColour && isColour ? character : "";
  });
}

export function renderJson(value: unknown, to: Screen): string {
  return to.isTerminal ? JSON.stringify(value, null, 2) : JSON.stringify(value);
}

export function errorRecord(error: TeamwrightError): Record<string, unknown> {
  const { code, message, problems, hint } = error;
  return {
    error: { code, message, ...(problems.length > 0 ? { problems } : {}), ...(hint ? { next: hint.operation } : {}) },
  };
}

/** The kernel's rendering in the words of the command line: commands for operations, flags for fields. */
export function renderRefusal(
  error: TeamwrightError,
  help: string,
  operation: Operation | undefined,
  to: Screen,
): string {
  const paint = (text: string) => (to.hasColour ? `\u001b[31m${text}\u001b[39m` : text);
  const lines = [
    `${paint(error.code)}: ${error.message}`,
    ...error.problems.map((problem) => `- ${inFlags(problem, operation)}`),
  ];
  if (error.hint && error.hint.operation !== operation?.name)
    lines.push(`Next: \`${commandLine(error.hint.operation)}\` ${error.hint.text}.`);
  if (exitCodes[error.code] === 2 && help) lines.push(`Help: \`${help}\``);
  return forTerminal(lines.join("\n"), to.hasColour);
}

/** `priority: too big` → `--priority: too big` */
function inFlags(problem: string, operation: Operation | undefined): string {
  if (/^[^\s:]+:\d+:\d+ /.test(problem)) return problem; // `config.yaml:3:5 …` is a place in a file
  const field = /^([a-z_]+)(?=[.:])/.exec(problem)?.[1];
  const flag = operation && field ? flagsOf(operation).find((candidate) => candidate.field === field) : undefined;
  return flag && field ? `--${flag.name}${problem.slice(field.length)}` : problem;
}
