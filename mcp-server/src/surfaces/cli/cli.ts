import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { exitCodes, TeamwrightError } from "../../kernel/errors.ts";
import { execute, parseInput } from "../../kernel/execute.ts";
import { refuseFile } from "../../kernel/file-refusal.ts";
import type { Operation } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { commandLine, findCommand, findNoun, programCommands, shortcuts } from "./command.ts";
import { filePort } from "./files.ts";
import type { HelpView } from "./help.ts";
import { errorRecord, renderJson, renderRefusal, renderResult, type Screen, screen } from "./output.ts";
import { type ParsedArguments, parseArguments } from "./parse.ts";
import { progressLine } from "./progress.ts";

export interface CliEnvironment {
  readonly cwd: string;
  /** The operating system's user. */
  readonly user: string;
  readonly isCi: boolean;
  /** Whether the command comes from a session of the client in this project, where a model may have written it. */
  insideClient(projectRoot: string): boolean;
  readonly noColour: boolean;
  /** A terminal that knows no control sequences: nothing is drawn over, and nothing coloured. */
  readonly isDumb: boolean;
}

/** What is known so far of the command, for the message when it fails. */
interface Attempt {
  help: string;
  operation?: Operation;
}

/** Runs one command line and returns the exit code. Every command is an operation of the table; nothing is decided here. */
export async function runCli(argv: readonly string[], env: CliEnvironment): Promise<number> {
  const to = screen(env.noColour || env.isDumb);
  const attempt: Attempt = { help: "teamwright help" };
  try {
    return await route(leadingFlagsLast(argv), env, to, attempt);
  } catch (thrown) {
    const error = await asRefusal(thrown, to);
    const refusal = renderRefusal(error, attempt.help, attempt.operation, to);
    if (wantsJson(argv)) await to.out(renderJson(errorRecord(error), to)).catch(() => to.err(refusal));
    else await to.err(refusal);
    return exitCodes[error.code];
  }
}

async function route(argv: readonly string[], env: CliEnvironment, to: Screen, attempt: Attempt): Promise<number> {
  const [first, ...rest] = argv;
  if (first === "--version" || first === "-V" || first === "version") return showVersion(rest, to);
  const { findOperation, operations } = await import("../../features/index.ts");
  if (first === undefined || first === "--help" || first === "-h" || first === "help")
    return showHelp(operations, rest, to);
  if (first === "completion") {
    const { completionScript } = await import("./completion.ts");
    const [shell = ""] = rest.filter((word) => !word.startsWith("-"));
    const script = completionScript(operations, shell);
    await to.out(wantsJson(rest) ? renderJson({ shell, script }, to) : script);
    return 0;
  }
  const name = Object.hasOwn(shortcuts, first) ? shortcuts[first as keyof typeof shortcuts] : first;
  const byName = name.includes("_") ? findOperation(name) : undefined;
  if (byName) return run(byName, rest, env, to, attempt);
  const group = findNoun(operations, first);
  attempt.help = `teamwright help ${first}`;
  const [verb, ...args] = rest;
  if (verb === undefined || verb === "--help" || verb === "-h") return showHelp(operations, [first, ...args], to);
  if (verb.startsWith("-"))
    throw new TeamwrightError("INVALID_INPUT", `teamwright ${first} needs a command before ${verb}.`);
  return run(findCommand(group, first, verb), args, env, to, attempt);
}

async function run(
  operation: Operation,
  args: readonly string[],
  env: CliEnvironment,
  to: Screen,
  attempt: Attempt,
): Promise<number> {
  attempt.operation = operation;
  attempt.help = `${commandLine(operation.name)} --help`;
  const parsed = parseArguments(operation, args, (path) => readText(env.cwd, path));
  if (parsed.help) {
    const { helpRecord, operationHelp } = await import("./help.ts");
    await to.out(parsed.json ? renderJson(helpRecord([operation]), to) : operationHelp(operation, helpView(to)));
    return 0;
  }
  parseInput(operation, parsed.input); // wrong usage is told without opening the store
  const { output, now } = await callOperation(operation, parsed, env);
  if (parsed.json) await to.out(renderJson(output, to));
  else if (!parsed.quiet) await to.out(await renderResult(operation, output, to, now));
  return output.ok === false ? 1 : 0; // a check that ran and found something
}

async function callOperation(operation: Operation, parsed: ParsedArguments, env: CliEnvironment) {
  const { openRuntime } = await import("../../runtime.ts");
  const runtime = await openRuntime({
    start: env.cwd,
    defaultIdentity: "strict",
    withoutStore: operation.needsStore === false,
    withoutConfig: operation.needsConfig === false,
  });
  const { stderr } = process;
  if (runtime.store.isNewer && !parsed.quiet) stderr.write(`${runtime.store.readOnly}\n`);
  const columns = stderr.isTTY === true && !env.isDumb ? () => stderr.columns || 80 : undefined;
  const progress = progressLine((text) => stderr.write(text), columns);
  try {
    const output = await execute(runtime, operation, parsed.input, {
      principal: principalOf(env, operation, runtime.config.root),
      idempotencyKey: parsed.idempotencyKey,
      files: filePort(env.cwd, runtime.config.root),
      inspect: async () => (await import("../guard/inspection.ts")).inspectionOf(runtime),
      ...(parsed.quiet ? {} : { tell: progress.tell }),
      ...(parsed.quiet || parsed.json ? {} : { progress: progress.report }),
    });
    return { output, now: runtime.now() };
  } finally {
    progress.end();
    await runtime.close();
  }
}

/** A writing command from inside a session is nobody's: the person has a terminal of their own, an agent has tools. */
function principalOf({ isCi, user, insideClient }: CliEnvironment, { kind }: Operation, root: string): Principal {
  if (kind !== "read" && insideClient(root)) return { kind: "unverified", key: "unverified:shell", name: "a shell" };
  if (isCi) return { kind: "service", key: "service:ci", name: "ci" };
  return { kind: "human", key: `human:${user}`, name: user };
}

async function showHelp(operations: readonly Operation[], words: readonly string[], to: Screen): Promise<number> {
  const { helpRecord, nounHelp, operationHelp, programHelp } = await import("./help.ts");
  const [noun, verb] = words.filter((word) => !word.startsWith("-"));
  const view = helpView(to);
  const say = (about: readonly Operation[], text: string) =>
    to.out(wantsJson(words) ? renderJson(helpRecord(about), to) : text);
  if (noun === undefined || noun in programCommands) await say(operations, programHelp(operations, view));
  else {
    const group = findNoun(operations, noun);
    if (verb === undefined) await say(group, nounHelp(noun, group, view));
    else {
      const operation = findCommand(group, noun, verb);
      await say([operation], operationHelp(operation, view));
    }
  }
  return 0;
}

async function showVersion(rest: readonly string[], to: Screen): Promise<number> {
  const { version } = await import("../../version.ts");
  await to.out(rest.includes("--json") ? renderJson({ version }, to) : `teamwright ${version}`);
  return 0;
}

function helpView(to: Screen): HelpView {
  return { width: Math.min(to.width, 110), bold: (text) => (to.hasColour ? `\u001b[1m${text}\u001b[22m` : text) };
}

/** `teamwright --json task list` is `teamwright task list --json`. */
function leadingFlagsLast(argv: readonly string[]): readonly string[] {
  const start = argv.findIndex((word) => !["--json", "--quiet", "-q"].includes(word));
  if (start === -1 && argv.length > 0) return ["help", ...argv];
  if (start <= 0) return argv;
  const [noun = "", verb, ...rest] = argv.slice(start);
  return [noun, ...(verb === undefined ? [] : [verb]), ...argv.slice(0, start), ...rest];
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === "--json" || word === "--json=true");
}

function readText(cwd: string, path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : resolve(cwd, path), "utf8");
  } catch (error) {
    return refuseFile("read", path, error);
  }
}

async function asRefusal(error: unknown, to: Screen): Promise<TeamwrightError> {
  if (error instanceof TeamwrightError) return error;
  await to.err(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return new TeamwrightError("INTERNAL", "Something failed inside Teamwright; the lines before say where.");
}
