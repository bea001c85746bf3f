import type * as z from "zod";
import { nearest } from "../kernel/nearest.ts";
import { isRecord } from "../kernel/records.ts";
import { configSchema } from "./config.schema.ts";

/** `file:line:column` of the value at a path, or of its key. */
export type Place = (path: readonly string[], key?: boolean) => string;

/** One finding of the schema as problems with their place, and what to write instead where that can be told (TC-09). */
export function problemsOf(issue: z.core.$ZodIssue, file: unknown, place: Place): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const whole = [...path, key];
      const close = meantBy(key, knownKeys(path)) ?? "";
      const elsewhere = key === close ? undefined : onlyPlaceOf(key);
      return `${place(whole, true)} unknown key ${whole.join(".")}${meant(elsewhere ?? close)}`;
    });
  const given = valueAt(file, path);
  const label = path.join(".") || "the file";
  if (issue.code === "invalid_type" && (given === undefined || given === null) && path.length > 0)
    return [
      given === undefined
        ? `${place(path)} ${label} is missing; it has to be there`
        : `${place(path)} ${label}: no value is given; give ${nounOf(issue.expected)}, or leave it out`,
    ];
  return [`${place(path)} ${label}: ${issue.message}${meant(suggestionFor(issue, given))}`];
}

function meant(suggestion: string | undefined): string {
  return suggestion ? `; did you mean ${suggestion}?` : "";
}

function nounOf(type: string): string {
  const nouns: Record<string, string> = {
    array: "a list",
    object: "its keys",
    record: "its keys",
    boolean: "true or false",
  };
  return nouns[type] ?? `a ${type}`;
}

/** What the value probably stands for. */
function suggestionFor(issue: z.core.$ZodIssue, given: unknown): string | undefined {
  if (issue.code === "invalid_value" && typeof given === "string") return meantBy(given, issue.values.map(String));
  if (issue.code === "too_big" && issue.maximum === 1 && Number.isInteger(given))
    return Number(given) >= 10 && Number(given) <= 100 ? String(Number(given) / 100) : undefined;
  if (issue.code !== "invalid_type" || typeof given !== "string") return undefined;
  const text = given.trim();
  if (issue.expected === "boolean") return booleans[text.toLowerCase()];
  if (issue.expected === "array" && /^[\w-]{1,64}$/.test(text)) return `[${text}]`;
  if (issue.expected !== "number" && issue.expected !== "int") return undefined;
  const percent = /^(\d{1,3}(?:\.\d+)?) ?%$/.exec(text)?.[1];
  if (percent !== undefined) return String(Number((Number(percent) / 100).toPrecision(12)));
  return /^-?\d+(\.\d+)?$/.test(text) ? `${text} without quotes` : undefined;
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
