import type { Operation } from "../../kernel/operation.ts";
import { wrapWords } from "../../kernel/view.ts";
import { commandLine, groupByNoun, programCommands, wordsOf } from "./command.ts";
import { type Flag, flagsOf, globalFlags, idempotencyFlag, inputFlag } from "./flags.ts";

/** How help is laid out: terminal width and emphasis. */
export interface HelpView {
  readonly width: number;
  bold(text: string): string;
}

export function programHelp(operations: readonly Operation[], view: HelpView): string {
  const nouns = [...groupByNoun(operations)].map(
    ([noun, group]): Row => [noun, group.map(({ name }) => wordsOf(name).verb).join(", ")],
  );
  return [
    `${view.bold("teamwright")} keeps a team's tasks, boards and protocol.`,
    "",
    `${view.bold("Usage:")} teamwright NOUN VERB [arguments] [--flags]`,
    "",
    view.bold("Commands:"),
    rows(nouns, view),
    "",
    view.bold("Program:"),
    rows(
      [
        ...Object.entries(programCommands).map(([name, text]): Row => [name, text]),
        ["--version", "Print the version."],
      ],
      view,
    ),
    "",
    ...[
      "`teamwright NOUN` lists what its commands do; `teamwright NOUN VERB --help` shows the arguments of one.",
      "Exit codes: 0 done, 1 refused or a check failed, 2 wrong usage, 3 store unavailable, 70 a fault of ours.",
    ].flatMap((line) => wrapWords(line, view.width)),
  ].join("\n");
}

export function nounHelp(noun: string, group: readonly Operation[], view: HelpView): string {
  const lines = group.map(
    (operation): Row => [
      [wordsOf(operation.name).verb, ...positionalWords(operation, flagsOf(operation))].join(" "),
      firstSentence(operation.description),
    ],
  );
  return [
    `${view.bold("Usage:")} teamwright ${noun} VERB [arguments] [--flags]`,
    "",
    rows(lines, view),
    "",
    ...wrapWords(`\`teamwright ${noun} VERB --help\` shows the arguments of one.`, view.width),
  ].join("\n");
}

export function operationHelp(operation: Operation, view: HelpView): string {
  const flags = flagsOf(operation);
  const positional = flags.filter((flag) => operation.positional?.includes(flag.field));
  const others = flags.filter((flag) => !positional.includes(flag));
  const shared: Row[] = [
    [`--${inputFlag.name} JSON`, inputFlag.description],
    ...(operation.kind === "write" ? [[`--${idempotencyFlag.name} TEXT`, idempotencyFlag.description] as Row] : []),
    ...globalFlags.map(({ name, description }): Row => [`--${name}`, description]),
  ];
  const parts = [
    `${view.bold("Usage:")} ${usageLine(operation)}`,
    "",
    ...wrapWords([operation.description, operation.details].filter(Boolean).join(" "), view.width),
  ];
  if (positional.length > 0)
    parts.push(
      "",
      view.bold("Arguments:"),
      rows(
        positional.map((flag): Row => [flag.name.toUpperCase(), explain(flag)]),
        view,
      ),
    );
  if (others.length > 0)
    parts.push(
      "",
      view.bold("Flags:"),
      rows(
        others.map((flag): Row => [flagUsage(flag), explain(flag)]),
        view,
      ),
    );
  parts.push("", view.bold("For every command:"), rows(shared, view));
  return parts.join("\n");
}

/** The same for a program. */
export function helpRecord(operations: readonly Operation[]): Record<string, unknown> {
  const commands = operations.map((operation) => ({
    command: commandLine(operation.name),
    usage: usageLine(operation),
    description: [operation.description, operation.details].filter(Boolean).join(" "),
    kind: operation.kind,
    arguments: flagsOf(operation).map(({ name, type, choices, description, required }) => ({
      name,
      type,
      required,
      ...(choices.length > 0 ? { choices } : {}),
      ...(description ? { description } : {}),
    })),
  }));
  return { commands };
}

/** `teamwright board move ID TO [--flags]` */
export function usageLine(operation: Operation): string {
  const flags = flagsOf(operation);
  const required = flags.filter((flag) => flag.required && !operation.positional?.includes(flag.field)).map(flagUsage);
  const hasOptional = flags.some((flag) => !flag.required && !operation.positional?.includes(flag.field));
  return [
    commandLine(operation.name),
    ...positionalWords(operation, flags),
    ...required,
    ...(hasOptional ? ["[--flags]"] : []),
  ].join(" ");
}

function flagUsage(flag: Flag): string {
  return flag.type === "boolean"
    ? `--[no-]${flag.name}`
    : `--${flag.name} ${flag.choices.length > 6 ? "NAME" : flag.placeholder}`;
}

function positionalWords(operation: Operation, flags: readonly Flag[]): string[] {
  return (operation.positional ?? []).flatMap((field) =>
    flags
      .filter((flag) => flag.field === field)
      .map((flag) => {
        const word = `${flag.name.toUpperCase()}${flag.type === "list" ? "…" : ""}`;
        return flag.required ? word : `[${word}]`;
      }),
  );
}

function explain(flag: Flag): string {
  const choices =
    flag.choices.length > 0 && !flag.description.includes(flag.choices.join(", "))
      ? `One of ${flag.choices.join(", ")}.`
      : "";
  const list = flag.type === "list" ? "Repeat it, or separate by commas." : "";
  const json = flag.type === "json" ? "As JSON, or @FILE." : "";
  return [flag.description, choices, list, json, flag.required ? "Required." : ""].filter(Boolean).join(" ");
}

export function firstSentence(text: string): string {
  return /^.*?[.](?=\s|$)/s.exec(text)?.[0] ?? text;
}

type Row = readonly [left: string, right: string];

function rows(list: readonly Row[], view: HelpView): string {
  const left = Math.min(34, Math.max(...list.map(([name]) => name.length)));
  const width = Math.max(24, view.width - left - 4);
  return list
    .map(([name, text]) => {
      const [first = "", ...rest] = wrapWords(text, width);
      const indented = rest.map((line) => `${" ".repeat(left + 4)}${line}`);
      const head =
        name.length > left
          ? [`  ${name}`, `${" ".repeat(left + 4)}${first}`]
          : [`  ${name.padEnd(left)}  ${first}`.trimEnd()];
      return [...head, ...indented].join("\n");
    })
    .join("\n");
}
