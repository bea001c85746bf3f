import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type * as z from "zod";
import { TeamwrightError } from "../kernel/errors.ts";
import { nearest } from "../kernel/nearest.ts";
import { isRecord } from "../kernel/records.ts";
import { type ConfigFile, configSchema, type ProjectConfig, withDefaults } from "./config.schema.ts";
import { crossChecks, type Purpose } from "./cross-checks.ts";
import { CONFIG_FILE } from "./project-root.ts";

/** Reads the project's configuration. Throws INVALID_INPUT that lists every problem with file, line and column. */
export function loadConfig(root: string): ProjectConfig {
  const path = join(root, CONFIG_FILE);
  if (!existsSync(path)) return withDefaults(configSchema.parse({}), root);
  const { config, problems } = parseConfig(readFileSync(path, "utf8"), CONFIG_FILE);
  if (!config) {
    throw new TeamwrightError(
      "INVALID_INPUT",
      `${CONFIG_FILE} has ${problems.length} problem${problems.length === 1 ? "" : "s"}.`,
      undefined,
      problems,
    );
  }
  return withDefaults(config, root, path);
}

/**
 * Pure: text to configuration or to all problems at once, each as `file:line:column message` with what to write instead
 * where that can be told (requirements TC-02, TC-09). An experiment's file has to name several teams with agents.
 */
export function parseConfig(
  text: string,
  file: string,
  purpose: Purpose = {},
): { config?: ConfigFile; problems: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${basename(file)}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const problems = document.errors.map((error) => `${at(error.pos[0])} ${error.message}`);
  if (problems.length > 0) return { problems };
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    return { problems: [`${at(0)} ${error instanceof Error ? error.message : String(error)}`] }; // aliases of nothing, or too many
  }
  const result = configSchema.safeParse(value);
  for (const issue of result.error?.issues ?? []) problems.push(...describe(issue, document, at));
  for (const { path, text: fault } of crossChecks(value, purpose))
    problems.push(`${at(offsetOf(document, path))} ${fault}`);
  problems.sort(byPlace);
  return problems.length > 0 || !result.success ? { problems } : { config: result.data, problems };
}

function byPlace(a: string, b: string): number {
  const [, lineA = 0, columnA = 0] = a.split(/[: ]/, 3).map(Number);
  const [, lineB = 0, columnB = 0] = b.split(/[: ]/, 3).map(Number);
  return lineA - lineB || columnA - columnB;
}

type Position = (offset: number) => string;

function describe(issue: z.core.$ZodIssue, document: Document, at: Position): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const close = meantBy(key, knownKeys(path));
      const suggestion = close ? `; did you mean ${close}?` : "";
      return `${at(offsetOf(document, [...path, key], true))} unknown key ${[...path, key].join(".")}${suggestion}`;
    });
  }
  const given = issue.code === "invalid_value" ? valueAt(document, path) : undefined;
  const close = issue.code === "invalid_value" && typeof given === "string" && meantBy(given, issue.values.map(String));
  const suggestion = close ? `; did you mean ${close}?` : "";
  return [`${at(offsetOf(document, path))} ${path.join(".") || "the file"}: ${issue.message}${suggestion}`];
}

/** The nearest name, or the only one of which the word is a part: `role` is short for role_archetype. */
function meantBy(word: string, known: readonly string[]): string | undefined {
  const close = nearest(word, known);
  if (close !== undefined || word.length < 3) return close;
  const whole = known.filter((candidate) => candidate.includes(word));
  return whole.length === 1 ? whole[0] : undefined;
}

function valueAt(document: Document, path: readonly string[]): unknown {
  let value: unknown = document.toJS();
  for (const part of path)
    value = isRecord(value) || Array.isArray(value) ? (value as Record<string, unknown>)[part] : undefined;
  return value;
}

/** Offset of the value at a path, or of the deepest part of it that exists; `key` asks for the key itself. */
function offsetOf(document: Document, path: readonly string[], key = false): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part);
      if (!pair) return offset;
      const keyNode = pair.key as Node;
      if (key && depth === path.length - 1) return keyNode.range?.[0] ?? offset;
      node = pair.value as Node | null;
      offset = node?.range?.[0] ?? keyNode.range?.[0] ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(part)] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}

/** Keys the schema knows at a path; positions of lists and names in records are passed over. */
function knownKeys(path: readonly string[]): string[] {
  let schema: z.core.$ZodType | undefined = configSchema;
  for (const part of path) {
    schema = unwrap(schema);
    if (schema?._zod.def.type === "array") schema = (schema._zod.def as z.core.$ZodArrayDef).element;
    else if (schema?._zod.def.type === "object") schema = (schema._zod.def as z.core.$ZodObjectDef).shape[part];
    else if (schema?._zod.def.type === "record") schema = (schema._zod.def as z.core.$ZodRecordDef).valueType;
    else return [];
  }
  schema = unwrap(schema);
  if (schema?._zod.def.type === "record")
    return [...((schema._zod.def as z.core.$ZodRecordDef).keyType._zod.values ?? [])].map(String);
  return schema?._zod.def.type === "object" ? Object.keys((schema._zod.def as z.core.$ZodObjectDef).shape) : [];
}

function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let current = schema;
  while (current && "innerType" in current._zod.def) current = current._zod.def.innerType as z.core.$ZodType;
  return current;
}
