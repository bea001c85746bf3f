import { parseArgs } from "node:util";
import { TeamwrightError } from "../../kernel/errors.ts";
import { nearest } from "../../kernel/nearest.ts";
import type { Operation } from "../../kernel/operation.ts";
import { isRecord } from "../../kernel/records.ts";
import { type Flag, flagsOf, globalFlags, idempotencyFlag, inputFlag } from "./flags.ts";

export interface ParsedArguments {
  readonly input: Record<string, unknown>;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly help: boolean;
  readonly idempotencyKey?: string;
}

/** Reads the text behind `@FILE` and `@-`. */
export type ReadText = (path: string) => string;

interface Reading {
  readonly byName: ReadonlyMap<string, Flag>;
  readonly given: Map<string, string[]>;
  readonly booleans: Map<string, boolean>;
  readonly words: string[];
  /** Flags whose values came by position: each word is one item, commas and all. */
  readonly placed: Set<string>;
  readonly problems: string[];
}

const shortNames: Readonly<Record<string, string>> = { h: "help", q: "quiet" };

/** Words after noun and verb → the operation's input. Throws INVALID_INPUT with every problem at once. */
export function parseArguments(operation: Operation, args: readonly string[], readText: ReadText): ParsedArguments {
  const flags = flagsOf(operation);
  const isWrite = operation.kind === "write";
  const reading = readTokens(args, flags, isWrite);
  const { problems, booleans, given } = reading;
  const input = { ...readWhole(given.get(inputFlag.name), readText, problems) };
  placeWords(operation, flags, reading);
  for (const flag of flags) {
    const truth = booleans.get(flag.name);
    if (truth !== undefined) input[flag.field] = truth;
    const values = given.get(flag.name);
    if (values) input[flag.field] = readValue(flag, values, readText, problems, reading.placed.has(flag.name));
  }
  const help = booleans.get("help") ?? false;
  if (!help) problems.push(...missing(operation, flags, input));
  const key = given.get(idempotencyFlag.name)?.at(-1);
  if (key !== undefined && (key.length < 1 || key.length > 200))
    problems.push("--idempotency-key takes 1 to 200 characters");
  if (problems.length > 0 && !help)
    throw new TeamwrightError("INVALID_INPUT", "These arguments do not fit.", undefined, problems);
  return {
    input,
    help,
    json: booleans.get("json") ?? false,
    quiet: booleans.get("quiet") ?? false,
    ...(key === undefined ? {} : { idempotencyKey: key }),
  };
}

function readTokens(args: readonly string[], flags: readonly Flag[], isWrite: boolean): Reading {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const truths = new Set([
    ...globalFlags.map((flag) => flag.name as string),
    ...flags.filter((flag) => flag.type === "boolean").map((flag) => flag.name),
  ]);
  const valued = [
    ...flags.filter((flag) => flag.type !== "boolean").map((flag) => flag.name),
    inputFlag.name,
    ...(isWrite ? [idempotencyFlag.name] : []),
  ];
  const reading: Reading = {
    byName,
    given: new Map(),
    booleans: new Map(),
    words: [],
    placed: new Set(),
    problems: [],
  };
  const { tokens } = parseArgs({
    args: [...args],
    // Not strict: our own messages name the nearest flag, and a value may be a negative number.
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(valued.map((name) => [name, { type: "string" as const }])),
  });
  const known = [...truths, ...valued];
  for (const token of tokens) {
    if (token.kind === "positional") reading.words.push(token.value);
    if (token.kind !== "option") continue;
    const name = token.rawName.startsWith("--") ? token.name : (shortNames[token.name] ?? token.rawName);
    const negated = name.startsWith("no-") && truths.has(name.slice(3)) && !known.includes(name);
    if (truths.has(name) || negated) readBoolean(reading, negated ? name.slice(3) : name, token.value, !negated);
    else if (valued.includes(name)) readValued(reading, name, token.value, token.inlineValue ?? false);
    else {
      const close = nearest(name, known);
      reading.problems.push(`unknown flag ${token.rawName}${close ? `; did you mean --${close}?` : ""}`);
    }
  }
  return reading;
}

function readBoolean(reading: Reading, name: string, text: string | undefined, yes: boolean): void {
  if (text === undefined || text === "true") reading.booleans.set(name, yes);
  else if (text === "false") reading.booleans.set(name, !yes);
  else reading.problems.push(`--${name} is yes or no: write --${name} or --no-${name}`);
}

function readValued(reading: Reading, name: string, text: string | undefined, isInline: boolean): void {
  if (text === undefined || (!isInline && text.startsWith("--"))) {
    reading.problems.push(
      `--${name} needs a value${text === undefined ? "" : `; write --${name}=${text} if ${text} is meant to be it`}`,
    );
  } else reading.given.set(name, [...(reading.given.get(name) ?? []), text]);
}

/** Gives the bare words to the positional fields; a list in last place takes all that remain. */
function placeWords(operation: Operation, flags: readonly Flag[], reading: Reading): void {
  const { words, given, problems } = reading;
  const places = (operation.positional ?? []).flatMap((field) => flags.filter((flag) => flag.field === field));
  let rest = [...words];
  for (const [index, flag] of places.entries()) {
    const take = flag.type === "list" && index === places.length - 1 ? rest : rest.slice(0, 1);
    rest = rest.slice(take.length);
    if (take.length === 0) continue;
    if (given.has(flag.name)) problems.push(`${flag.name} is given twice, by position and by --${flag.name}`);
    else {
      given.set(flag.name, take);
      reading.placed.add(flag.name);
    }
  }
  if (rest.length === 0) return;
  const quote = places.at(-1)?.type === "text" ? "; what has several words goes in quotes" : "";
  problems.push(`unexpected ${rest.map((word) => JSON.stringify(word)).join(" ")}${quote}`);
}

function missing(operation: Operation, flags: readonly Flag[], input: Record<string, unknown>): string[] {
  return flags
    .filter((flag) => flag.required && input[flag.field] === undefined)
    .map((flag) => {
      const name = operation.positional?.includes(flag.field)
        ? flag.name.toUpperCase()
        : `--${flag.name} ${flag.placeholder}`;
      return `${name} is missing${flag.description ? `: ${flag.description}` : ""}`;
    });
}

function readValue(
  flag: Flag,
  values: readonly string[],
  readText: ReadText,
  problems: string[],
  isPlaced: boolean,
): unknown {
  if (flag.type === "list")
    return (isPlaced ? values : values.flatMap(splitList)).map((item) => readScalar(flag, item, problems));
  if (values.length > 1) problems.push(`--${flag.name} is given ${values.length} times`);
  const text = values.at(-1) ?? "";
  return flag.type === "json" ? readJson(`--${flag.name}`, text, readText, problems) : readScalar(flag, text, problems);
}

function readScalar(flag: Flag, text: string, problems: string[]): unknown {
  if (flag.choices.length > 0 && !flag.choices.includes(text)) {
    const close = nearest(text, flag.choices);
    problems.push(`--${flag.name} is one of ${flag.choices.join(", ")}${close ? `; did you mean ${close}?` : ""}`);
  }
  if (!flag.isNumeric) return text;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) problems.push(`--${flag.name} takes a number, not ${JSON.stringify(text.slice(0, 40))}`);
  return value;
}

/** `a,b` → a and b; a comma inside braces belongs to a glob; a JSON array is taken as it is. */
function splitList(text: string): string[] {
  if (text.startsWith("[")) {
    const parsed = tryJson(text);
    if (Array.isArray(parsed)) return parsed.map(String);
  }
  return text
    .split(/,(?![^{]*\})/)
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function readJson(name: string, text: string, readText: ReadText, problems: string[]): unknown {
  const value = tryJson(text.startsWith("@") ? readText(text.slice(1)) : text);
  if (value === undefined) problems.push(`${name} takes JSON, or @FILE with JSON in it`);
  return value;
}

function readWhole(
  values: readonly string[] | undefined,
  readText: ReadText,
  problems: string[],
): Record<string, unknown> {
  if (!values) return {};
  const value = readJson(`--${inputFlag.name}`, values.at(-1) ?? "", readText, problems);
  if (isRecord(value)) return value;
  if (value !== undefined) problems.push(`--${inputFlag.name} takes one JSON object`);
  return {};
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
