import { exitCodes, type TeamwrightError } from "../../kernel/errors.ts";
import { refuseFile } from "../../kernel/file-refusal.ts";
import type { Operation } from "../../kernel/operation.ts";
import { plainView, terminalView } from "../../kernel/view.ts";
import { commandLine } from "./command.ts";
import { flagsOf } from "./flags.ts";

export interface Screen {
  readonly width: number;
  readonly isTerminal: boolean;
  /** Of what goes to standard output. */
  readonly hasColour: boolean;
  /** Of what goes to standard error, which may go elsewhere. */
  readonly errorHasColour: boolean;
  /** Throws INVALID_INPUT when it cannot be written, as on a full disk. */
  out(text: string): Promise<void>;
  /** Where it cannot be written there is nobody left to tell. */
  err(text: string): Promise<void>;
}

export function screen(noColour: boolean): Screen {
  const isTerminal = process.stdout.isTTY === true;
  return {
    width: isTerminal ? Math.max(40, process.stdout.columns ?? 80) : 100,
    isTerminal,
    hasColour: isTerminal && !noColour,
    errorHasColour: process.stderr.isTTY === true && !noColour,
    out: (text) => writeAll(process.stdout, text).catch((error) => refuseFile("write", "standard output", error)),
    err: (text) => writeAll(process.stderr, text).catch(() => {}),
  };
}

/** Resolves when the text has left: the program ends right after. A reader that went away (`| head`) is no error. */
function writeAll(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = (error?: Error | null) => {
      if (!error || ("code" in error && error.code === "EPIPE")) resolve();
      else reject(error);
    };
    stream.once("error", ended);
    stream.write(text.endsWith("\n") ? text : `${text}\n`, ended);
  });
}

export async function renderResult(
  operation: Operation,
  output: Record<string, unknown>,
  to: Screen,
  now: number,
): Promise<string> {
  const safe = (text: string) => (to.isTerminal ? forTerminal(text, to.hasColour) : text);
  const plain = to.isTerminal ? terminalView(now, to.width, to.hasColour) : plainView(now, to.width);
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
  const paint = (text: string) => (to.errorHasColour ? `\u001b[31m${text}\u001b[39m` : text);
  const lines = [
    `${paint(error.code)}: ${error.message}`,
    ...error.problems.map((problem) => `- ${inFlags(problem, operation)}`),
  ];
  if (error.hint && error.hint.operation !== operation?.name)
    lines.push(`Next: \`${commandLine(error.hint.operation)}\` ${error.hint.text}.`);
  if (exitCodes[error.code] === 2 && help) lines.push(`Help: \`${help}\``);
  return forTerminal(lines.join("\n"), to.errorHasColour);
}

/** `priority: too big` → `--priority: too big` */
function inFlags(problem: string, operation: Operation | undefined): string {
  if (/^[^\s:]+:\d+:\d+ /.test(problem)) return problem; // `config.yaml:3:5 …` is a place in a file
  const field = /^([a-z_]+)(?=[.:])/.exec(problem)?.[1];
  const flag = operation && field ? flagsOf(operation).find((candidate) => candidate.field === field) : undefined;
  return flag && field ? `--${flag.name}${problem.slice(field.length)}` : problem;
}
