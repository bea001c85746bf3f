import { TeamwrightError } from "../../kernel/errors.ts";
import { nearest } from "../../kernel/nearest.ts";
import type { Operation } from "../../kernel/operation.ts";
import { toKebab } from "./flags.ts";

/** What is no operation: it belongs to the program, not to the project. */
export const programCommands = {
  serve: "Serve MCP over standard input and output: serve [--tools core|all] [--team ID].",
  completion: "Print a completion script: completion bash|zsh|fish.",
  help: "Show help on a command: help task create.",
} as const;

/** Operations that are also a command of one word, for where they stand in scripts. */
export const shortcuts = { "check-diff": "file_check_diff" } as const;

/** `task_create` → task, create; further words of a verb are joined by dashes. */
export function wordsOf(operationName: string): { noun: string; verb: string } {
  const cut = operationName.indexOf("_");
  return { noun: operationName.slice(0, cut), verb: toKebab(operationName.slice(cut + 1)) };
}

/** `task_create` → `teamwright task create`. */
export function commandLine(operationName: string): string {
  const { noun, verb } = wordsOf(operationName);
  return `teamwright ${noun} ${verb}`;
}

export function groupByNoun(operations: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> {
  return Map.groupBy(operations, (operation) => wordsOf(operation.name).noun);
}

/** Finds the operation of two words. Throws INVALID_INPUT with the nearest command. */
export function findCommand(operations: readonly Operation[], noun: string, verb: string): Operation {
  const group = findNoun(operations, noun);
  const found = group.find((operation) => wordsOf(operation.name).verb === verb);
  if (found) return found;
  const verbs = group.map((operation) => wordsOf(operation.name).verb);
  const close = nearest(verb, verbs);
  throw new TeamwrightError(
    "INVALID_INPUT",
    `teamwright ${noun} has no command ${JSON.stringify(verb.slice(0, 60))}${close ? `; did you mean teamwright ${noun} ${close}?` : ""}`,
    undefined,
    close ? [] : [`its commands are ${verbs.join(", ")}`],
  );
}

export function findNoun(operations: readonly Operation[], noun: string): readonly Operation[] {
  const groups = groupByNoun(operations);
  const group = groups.get(noun);
  if (group) return group;
  const sameVerb = operations
    .filter((operation) => wordsOf(operation.name).verb === noun)
    .map(({ name }) => commandLine(name));
  const close = nearest(noun, [...groups.keys(), ...Object.keys(programCommands)]);
  const suggestion = sameVerb.length > 0 ? sameVerb.join(" or ") : close && `teamwright ${close}`;
  throw new TeamwrightError(
    "INVALID_INPUT",
    `There is no command ${JSON.stringify(noun.slice(0, 60))}${suggestion ? `; did you mean ${suggestion}?` : "."}`,
  );
}
