import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { configSchema } from "../../mcp-server/src/config/config.schema.ts";
import { operations } from "../../mcp-server/src/features/index.ts";
import { commandLine } from "../../mcp-server/src/surfaces/cli/command.ts";
import { type Found, fieldProblems } from "./lint-fields.ts";
import { type Problem, partsOf, type ShippedText, shippedTexts, withoutCode, wordCount } from "./shipped-text.ts";

const MAX_WORDS = { skill: 500, agent: 400 } as const;
const MAX_LINES = 500;

const byName = new Map(operations.map((operation) => [operation.name, operation]));
const nouns = new Set(operations.map(({ name }) => name.slice(0, name.indexOf("_"))));
const fieldNames = new Set(operations.flatMap(({ input }) => Object.keys(input.shape)));

/** Single words a text may put in backticks: arguments at any depth, what they may be, keys of the configuration. */
const argumentWords = new Set([
  "none", // what a report writes where there is nothing
  ...Object.keys(configSchema.shape),
  ...operations.flatMap(({ input }) => wordsOf(z.toJSONSchema(input, { unrepresentable: "any" }))),
]);

function wordsOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(wordsOf);
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key === "enum" && Array.isArray(value)) return value.map(String);
    if (key === "properties" && value !== null)
      return [...Object.keys(value), ...Object.values(value).flatMap(wordsOf)];
    return wordsOf(value);
  });
}

/** What is resolved in a skill's or role's text; others stand there as they are, or make the client drop the file. */
const variables = /^(CLAUDE_(PLUGIN_ROOT|PLUGIN_DATA|PROJECT_DIR|SESSION_ID|SKILL_DIR|EFFORT)|user_config\.\w+)$/;

const forbidden: readonly (readonly [RegExp, string])[] = [
  [/(?:^|[\s"'`(])(?:\/(?:home|Users|root|work|tmp|mnt|opt|var)\/|[A-Za-z]:\\|~\/)/m, "a path of some machine"],
  [/\bfile:\/\/|\blocalhost\b|\b127\.0\.0\.1\b/, "an address of some machine"],
  [/\b(?:TeamCreate|TeamDelete|TodoWrite|TaskCreate|TaskUpdate)\b/, "a tool that current clients do not offer"],
  [/\bbypassPermissions\b|dangerously-skip-permissions/, "a way around permissions"],
  [/\b(?:TODO|TBD|FIXME|XXX)\b/, "something unfinished"],
  [/\b(?:MUST|NEVER|ALWAYS|MANDATORY|CRITICAL RULE)\b/, "shouting; what must hold is enforced, not shouted"],
  [/\b20\d\d-\d\d|\bas of \w+ 20\d\d/, "a date, which will be old when it is read"],
];

/** Everything that is wrong with the skills and roles below a root. */
export function lintTexts(root: string): Problem[] {
  const texts = shippedTexts(root);
  const skills = new Set(texts.filter(({ kind }) => kind === "skill").map(({ name }) => name));
  const names = new Set(texts.map(({ name }) => name));
  return texts.flatMap((text) => [...lintText(text, { skills, names, root })]);
}

export interface Surroundings {
  readonly skills: ReadonlySet<string>;
  /** Of skills and roles. */
  readonly names: ReadonlySet<string>;
  readonly root: string;
}

/** Problems of one text. */
export function* lintText(text: ShippedText, around: Surroundings): Generator<Problem> {
  const { path } = text;
  const parts = partsOf(text.text);
  if (typeof parts === "string") {
    yield { path, rule: "front-matter", message: parts };
    return;
  }
  const found = [
    ...fieldProblems(text, parts, around.skills),
    ...sizeProblems(text, parts.body),
    ...nameProblems(parts.body, around),
    ...referenceProblems(text, parts.body, around),
    ...wordProblems(parts.body),
    ...(text.kind === "skill" ? skillShape(parts.body) : roleShape(text, parts.body)),
  ];
  for (const [rule, message] of found) yield { path, rule, message };
}

function* sizeProblems({ kind, text }: ShippedText, body: string): Generator<Found> {
  const words = wordCount(text);
  if (words > MAX_WORDS[kind]) yield ["length", `has ${words} words; the most is ${MAX_WORDS[kind]}`];
  if (body.split("\n").length > MAX_LINES) yield ["length", `has more than ${MAX_LINES} lines`];
}

/** Operations and commands in backticks exist, and whoever reads the text can call them. */
function* nameProblems(body: string, around: Surroundings): Generator<Found> {
  for (const [, word = ""] of body.matchAll(/`([a-z]+_[a-z_]+)`/g)) {
    const operation = byName.get(word);
    if (operation === undefined && !fieldNames.has(word)) {
      const noun = word.slice(0, word.indexOf("_"));
      yield ["operation", `${word} is no operation${nouns.has(noun) ? "" : " and no argument of one"}`];
    } else if (operation?.mcp === "none")
      yield ["operation", `${word} is no tool of agents; write \`${commandLine(word)}\``];
  }
  for (const [, word = ""] of withoutCode(body).matchAll(/`([a-z]+)`/g))
    if (!argumentWords.has(word) && !around.names.has(word))
      yield ["argument", `${word} is no argument of an operation, nor one of their values`];
  for (const line of body.split("\n")) {
    for (const [, noun = "", verb = ""] of line.matchAll(/`teamwright ([a-z]+) ([a-z-]+)/g)) {
      const operation = byName.get(`${noun}_${verb.replaceAll("-", "_")}`);
      if (operation === undefined) yield ["command", `teamwright ${noun} ${verb} is no command`];
      else if (operation.kind !== "read" && !/\bpersons?\b/.test(line))
        yield ["command", `teamwright ${noun} ${verb} writes, which only a person may do there; say so in that line`];
    }
  }
}

function* referenceProblems({ name }: ShippedText, body: string, { names, root }: Surroundings): Generator<Found> {
  for (const [, other = ""] of body.matchAll(/\bteamwright:([a-z][a-z-]*)/g)) {
    if (!names.has(other)) yield ["reference", `teamwright:${other} is neither skill nor role`];
    if (other === name) yield ["reference", "names itself"];
  }
  for (const [, file = ""] of body.matchAll(/\]\((?!https?:|#)([^)\s#]+)/g))
    if (!existsSync(join(root, "skills", name, file))) yield ["reference", `links to ${file}, which does not exist`];
  for (const [, path = ""] of body.matchAll(/\$\{CLAUDE_PLUGIN_ROOT\}\/([\w./-]+)/g))
    if (!existsSync(join(root, path.replace(/\/[A-Z]+\.md$/, "")))) yield ["reference", `${path} is not in the plugin`];
  for (const [, variable = ""] of body.matchAll(/\$\{([^}\n]*)\}/g))
    if (!variables.test(variable)) yield ["variable", `\${${variable}} is never filled in`];
}

function* wordProblems(body: string): Generator<Found> {
  const prose = withoutCode(body);
  for (const [pattern, what] of forbidden) {
    const hit = pattern.exec(prose);
    if (hit) yield ["word", `holds ${what}: ${JSON.stringify(hit[0].trim())}`];
  }
  if (/(?:^|\s)!`/m.test(body) || /^`{3,}!/m.test(body))
    yield ["word", "runs a command while it is loaded; when that fails the whole skill is gone"];
}

/** A title, the core of it in one bold sentence, then sections. */
function* skillShape(body: string): Generator<Found> {
  const prose = withoutCode(body).trim();
  if (!/^# \S.*\n\n\*\*[^\n]+\*\*\n/.test(prose))
    yield ["shape", "does not begin with a title and its core in one bold paragraph"];
  if ((prose.match(/^# /gm) ?? []).length !== 1) yield ["shape", "has not exactly one title"];
  if ((prose.match(/^## /gm) ?? []).length < 2) yield ["shape", "has fewer than two sections"];
}

const sections = [/^How you work$/, /^(What|How) you answer$/, /^What you refuse$/];

function* roleShape({ name }: ShippedText, body: string): Generator<Found> {
  const heads = [...withoutCode(body).matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? "");
  for (const section of sections)
    if (!heads.some((head) => section.test(head))) yield ["shape", `has no section ${section.source.slice(1, -1)}`];
  const title = /`# (\w+) Report`/.exec(body)?.[1];
  if (title !== undefined && title.toLowerCase() !== name) yield ["shape", `writes the report of a ${title}`];
}
