import { TeamwrightError } from "../../kernel/errors.ts";
import { nearest } from "../../kernel/nearest.ts";
import type { Operation } from "../../kernel/operation.ts";
import { groupByNoun, programCommands, wordsOf } from "./command.ts";
import { flagsOf, globalFlags, idempotencyFlag, inputFlag } from "./flags.ts";
import { firstSentence } from "./help.ts";

const shells = ["bash", "zsh", "fish"] as const;

interface CompletedFlag {
  readonly name: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** A script for the shell, generated from the table. Throws INVALID_INPUT for any other shell. */
export function completionScript(operations: readonly Operation[], shell: string): string {
  if (shell === "bash") return bashScript(operations);
  if (shell === "zsh") return zshScript(operations);
  if (shell === "fish") return fishScript(operations);
  const close = nearest(shell, shells);
  throw new TeamwrightError(
    "INVALID_INPUT",
    `teamwright completion takes bash, zsh or fish${close ? `; did you mean ${close}?` : "."}`,
  );
}

function completedFlags(operation: Operation): CompletedFlag[] {
  const own = flagsOf(operation).map(({ name, description, type, choices }) => ({
    name,
    description,
    takesValue: type !== "boolean",
    choices,
  }));
  const valued = operation.kind === "write" ? [inputFlag, idempotencyFlag] : [inputFlag];
  return [
    ...own,
    ...valued.map((flag) => ({ ...flag, takesValue: true, choices: [] })),
    ...globalFlags.map((flag) => ({ ...flag, takesValue: false, choices: [] })),
  ];
}

/** The values after a flag or at the first position, where the schema knows them. */
function choiceCases(operation: Operation): { readonly after: string; readonly choices: readonly string[] }[] {
  return completedFlags(operation).flatMap(({ name, choices }) =>
    choices.length > 0 ? [{ after: `--${name}`, choices }] : [],
  );
}

function bashScript(operations: readonly Operation[]): string {
  const groups = groupByNoun(operations);
  const verbs = [...groups].map(
    ([noun, group]) => `      ${noun}) words="${group.map(({ name }) => wordsOf(name).verb).join(" ")}" ;;`,
  );
  const flags = operations.flatMap((operation) => {
    const { noun, verb } = wordsOf(operation.name);
    const values = choiceCases(operation).map(
      ({ after, choices }) => `      "${noun} ${verb} ${after}") words="${choices.join(" ")}" ;;`,
    );
    return [
      ...values,
      `      "${noun} ${verb} "*) words="${completedFlags(operation)
        .map(({ name }) => `--${name}`)
        .join(" ")}" ;;`,
    ];
  });
  return `# bash completion of teamwright: source <(teamwright completion bash)
_teamwright() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  # bash splits --flag=value in three
  if [ "$current" = "=" ]; then current=""; elif [ "$before" = "=" ]; then before="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${[...groups.keys(), ...Object.keys(programCommands)].join(" ")}"
  elif [ "$COMP_CWORD" -eq 2 ]; then
    case "\${COMP_WORDS[1]}" in
${verbs.join("\n")}
      completion) words="${shells.join(" ")}" ;;
      help) words="${[...groups.keys()].join(" ")}" ;;
    esac
  else
    case "\${COMP_WORDS[1]} \${COMP_WORDS[2]} $before" in
${flags.join("\n")}
    esac
    case "$current" in -*) ;; *) case "$words" in --*) words="" ;; esac ;; esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _teamwright teamwright`;
}

function zshScript(operations: readonly Operation[]): string {
  const groups = groupByNoun(operations);
  const nouns = [
    ...[...groups.keys()].map((noun): [string, string] => [noun, verbsOf(noun, groups)]),
    ...Object.entries(programCommands),
  ];
  const verbs = [...groups].map(
    ([noun, group]) =>
      `      ${noun}) entries=(${group.map(({ name, description }) => entry(wordsOf(name).verb, description)).join(" ")}) ;;`,
  );
  const flags = operations.map((operation) => {
    const { noun, verb } = wordsOf(operation.name);
    return `      "${noun} ${verb}") _arguments ${completedFlags(operation).map(zshFlag).join(" ")} '*:file:_files' ;;`;
  });
  return `#compdef teamwright
# zsh completion of teamwright: teamwright completion zsh > "\${fpath[1]}/_teamwright"
_teamwright() {
  local -a entries
  if (( CURRENT == 2 )); then
    entries=(${nouns.map(([name, text]) => entry(name, text)).join(" ")})
    _describe command entries
  elif (( CURRENT == 3 )); then
    case "$words[2]" in
${verbs.join("\n")}
      completion) entries=(${shells.join(" ")}) ;;
    esac
    _describe command entries
  else
    local command="$words[2] $words[3]"
    words=("$words[1]" "\${words[@]:3}")
    (( CURRENT -= 2 ))
    case "$command" in
${flags.join("\n")}
    esac
  fi
}
if [ "$funcstack[1]" = "_teamwright" ]; then _teamwright; else compdef _teamwright teamwright; fi`;
}

function entry(name: string, text: string): string {
  return quote(`${name}:${firstSentence(text)}`);
}

function zshFlag({ name, description, takesValue, choices }: CompletedFlag): string {
  const text = description.replace(/[[\]:]/g, " ");
  const value = takesValue ? `:value:${choices.length > 0 ? `(${choices.join(" ")})` : "_files"}` : "";
  return quote(`--${name}${takesValue ? "=" : ""}[${text}]${value}`);
}

function fishScript(operations: readonly Operation[]): string {
  const groups = groupByNoun(operations);
  const nouns = [
    ...[...groups.keys()].map((noun): [string, string] => [noun, verbsOf(noun, groups)]),
    ...Object.entries(programCommands),
  ];
  const lines = ["# fish completion of teamwright: teamwright completion fish | source", "complete -c teamwright -f"];
  for (const [name, text] of nouns)
    lines.push(`complete -c teamwright -n __fish_use_subcommand -a ${name} -d ${quote(firstSentence(text))}`);
  lines.push(`complete -c teamwright -n '__fish_seen_subcommand_from completion' -a '${shells.join(" ")}'`);
  for (const [noun, group] of groups) {
    const verbs = group.map(({ name }) => wordsOf(name).verb);
    const none = quote(`__fish_seen_subcommand_from ${noun}; and not __fish_seen_subcommand_from ${verbs.join(" ")}`);
    for (const operation of group) {
      const { verb } = wordsOf(operation.name);
      lines.push(`complete -c teamwright -n ${none} -a ${verb} -d ${quote(firstSentence(operation.description))}`);
      const here = quote(`__fish_seen_subcommand_from ${noun}; and __fish_seen_subcommand_from ${verb}`);
      for (const flag of completedFlags(operation)) {
        const values =
          flag.choices.length > 0 ? ` -x -a ${quote(flag.choices.join(" "))}` : flag.takesValue ? " -r" : "";
        lines.push(
          `complete -c teamwright -n ${here} -l ${flag.name}${values} -d ${quote(firstSentence(flag.description))}`,
        );
      }
    }
  }
  return lines.join("\n");
}

function verbsOf(noun: string, groups: ReadonlyMap<string, readonly Operation[]>): string {
  return (groups.get(noun) ?? []).map(({ name }) => wordsOf(name).verb).join(", ");
}

/** One shell word, in each of the three shells: a quote inside is left out of the quotes and escaped. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
