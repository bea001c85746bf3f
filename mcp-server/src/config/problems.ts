import * as z from "zod";
import { nearest } from "../kernel/nearest.ts";
import { isRecord } from "../kernel/records.ts";
import { anyOf, kindOf } from "../kernel/wording.ts";
import { configSchema } from "./config.schema.ts";

/** `file:line:column` of the value at a path, or of its key. */
export type Place = (path: readonly string[], key?: boolean) => string;

/** All findings of the schema as problems, one per value: what is of another type is not also too short (TC-09). */
export function problemsIn(issues: readonly z.core.$ZodIssue[], file: unknown, place: Place): string[] {
  const told = new Set<string>();
  return issues.flatMap((issue) => {
    const path = JSON.stringify(issue.path.map(String));
    if (issue.code === "unrecognized_keys") return problemsOf(issue, file, place);
    if (told.has(path)) return [];
    told.add(path);
    return problemsOf(issue, file, place);
  });
}

/** One finding as problems with their place, and what to write instead where that can be told. */
function problemsOf(issue: z.core.$ZodIssue, file: unknown, place: Place): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const whole = [...path, key];
      return `${place(whole, true)} unknown key ${whole.join(".")}${keyMeant(key, knownKeys(path))}`;
    });
  const value = valueAt(file, path);
  const label = path.join(".") || "the file";
  if (value === undefined && path.length > 0) return [`${place(path)} ${label} is missing; it has to be there`];
  if (value === null && path.length > 0) {
    const schema = schemaAt(path);
    const mayBeAbsent = schema?._zod.optin !== undefined || /^\d+$/.test(path.at(-1) ?? "");
    const wanted = wantedBy(issue, schema);
    return [`${place(path)} ${label}: no value is given; give ${wanted}${mayBeAbsent ? ", or leave it out" : ""}`];
  }
  return [`${place(path)} ${label}: ${issue.message}${meant(suggestionFor(issue, value, path))}`];
}

function meant(suggestion: string | undefined): string {
  return suggestion ? `; did you mean ${suggestion}?` : "";
}

const MOST_KEYS = 15;

/** The key that was probably meant, here or at the only place that has it; else those there are, if they can be read. */
function keyMeant(key: string, known: readonly string[]): string {
  const close = meantBy(key, known);
  const elsewhere = key === close ? undefined : onlyPlaceOf(key);
  const guess = elsewhere ?? close;
  if (guess !== undefined) return meant(guess);
  return known.length > 0 && known.length <= MOST_KEYS ? `; there are ${known.join(", ")}` : "; take it out";
}

function wantedBy(issue: z.core.$ZodIssue, schema: z.core.$ZodType | undefined): string {
  if (issue.code === "invalid_value") return anyOf(issue.values.map(String));
  return issue.code === "invalid_type" ? kindOf(issue.expected, unwrap(schema)) : "one";
}

/** What the value probably stands for. */
function suggestionFor(issue: z.core.$ZodIssue, given: unknown, path: readonly string[]): string | undefined {
  if (issue.code === "invalid_value" && typeof given === "string") return meantBy(given, issue.values.map(String));
  if (issue.code === "too_big" && issue.maximum === 1 && Number.isInteger(given))
    return Number(given) >= 10 && Number(given) <= 100 ? String(Number(given) / 100) : undefined;
  if (issue.code === "invalid_format" && path.at(-1) === "id") return slugOf(given);
  if (issue.code !== "invalid_type") return undefined;
  if (issue.expected === "string" && (typeof given === "number" || typeof given === "boolean")) return `"${given}"`;
  if (typeof given !== "string") return undefined;
  const text = given.trim();
  if (issue.expected === "boolean") return booleans[text.toLowerCase()];
  if (issue.expected === "array" && /^[\w-]{1,64}$/.test(text)) return `[${text}]`;
  if (issue.expected !== "number" && issue.expected !== "int") return undefined;
  const percent = /^(\d{1,3}(?:\.\d+)?) ?%$/.exec(text)?.[1];
  if (percent !== undefined) return isShare(path) ? String(Number((Number(percent) / 100).toPrecision(12))) : undefined;
  return /^-?\d+(\.\d+)?$/.test(text) ? `${text} without quotes` : undefined;
}

/** `Checkout Stream` → `checkout-stream` */
function slugOf(given: unknown): string | undefined {
  const words = typeof given === "string" ? (given.toLowerCase().match(/[a-z0-9_]+/g) ?? []) : [];
  return words.join("-").replace(/^_+/, "").slice(0, 32) || undefined;
}

function isShare(path: readonly string[]): boolean {
  const schema = unwrap(schemaAt(path));
  return schema instanceof z.ZodNumber && schema.maxValue === 1;
}

/** In this version of YAML they are texts. */
const booleans: Readonly<Record<string, string>> = {
  yes: "true",
  on: "true",
  y: "true",
  true: "true",
  no: "false",
  off: "false",
  n: "false",
  false: "false",
};

/** The nearest name, or the only one of which the word is a part: `role` is short for role_archetype. */
function meantBy(word: string, known: readonly string[]): string | undefined {
  const close = nearest(word, known);
  if (close !== undefined || word.length < 3) return close;
  const whole = known.filter((candidate) => candidate.includes(word));
  return whole.length === 1 ? whole[0] : undefined;
}

/** Where a key belongs that stands at the wrong level: `coordination.coordinators`. Undefined where several have it. */
function onlyPlaceOf(key: string): string | undefined {
  const found = [...placesOf(key, configSchema, [])];
  return found.length === 1 ? found[0] : undefined;
}

function* placesOf(key: string, schema: z.core.$ZodType | undefined, path: readonly string[]): Generator<string> {
  const def = unwrap(schema)?._zod.def;
  if (def?.type === "array") yield* placesOf(key, (def as z.core.$ZodArrayDef).element, path);
  if (def?.type !== "object") return;
  for (const [name, member] of Object.entries((def as z.core.$ZodObjectDef).shape)) {
    if (name === key) yield [...path, name].join(".");
    else yield* placesOf(key, member, [...path, name]);
  }
}

function valueAt(file: unknown, path: readonly string[]): unknown {
  let value = file;
  for (const part of path)
    value = isRecord(value) || Array.isArray(value) ? (value as Record<string, unknown>)[part] : undefined;
  return value;
}

/** The schema of a path; positions of lists and names in records are passed over. */
function schemaAt(path: readonly string[]): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = configSchema;
  for (const part of path) {
    const def: z.core.$ZodTypeDef | undefined = unwrap(schema)?._zod.def;
    if (def?.type === "array") schema = (def as z.core.$ZodArrayDef).element;
    else if (def?.type === "object") schema = (def as z.core.$ZodObjectDef).shape[part];
    else if (def?.type === "record") schema = (def as z.core.$ZodRecordDef).valueType;
    else return undefined;
  }
  return schema;
}

function knownKeys(path: readonly string[]): string[] {
  const def = unwrap(schemaAt(path))?._zod.def;
  if (def?.type === "record") return [...((def as z.core.$ZodRecordDef).keyType._zod.values ?? [])].map(String);
  return def?.type === "object" ? Object.keys((def as z.core.$ZodObjectDef).shape) : [];
}

function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let current = schema;
  while (current && "innerType" in current._zod.def) current = current._zod.def.innerType as z.core.$ZodType;
  return current;
}
