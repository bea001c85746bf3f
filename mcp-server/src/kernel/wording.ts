import type * as z from "zod";
import { plainLine } from "./fence.ts";

/**
 * What a schema found wrong with a value, in words of whoever wrote it and not of the program that reads it (TC-09);
 * undefined leaves a finding to its own words.
 */
export function wordingOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is missing";
      return `must be ${kindOf(issue.expected, issue.inst)}, not ${given(issue.input)}`;
    case "invalid_value": {
      const allowed = `must be ${anyOf(issue.values.map(String))}`;
      return issue.input === undefined ? `is missing; ${allowed}` : `${allowed}, not ${given(issue.input)}`;
    }
    case "too_small":
      return bound(issue.origin, Number(issue.minimum), issue.inclusive === false ? "more than" : "at least");
    case "too_big":
      return bound(issue.origin, Number(issue.maximum), issue.inclusive === false ? "less than" : "at most");
    default:
      return undefined;
  }
}

const kinds: Readonly<Record<string, string>> = {
  array: "a list",
  object: "keys with values",
  record: "keys with values",
  boolean: "true or false",
  string: "a text",
  int: "a whole number",
};

/** What a value of the schema is called: `a list`, `true or false`. */
export function kindOf(expected: string, schema?: unknown): string {
  if (expected === "number" && (schema as Partial<z.ZodNumber> | undefined)?.isInt) return "a whole number";
  return kinds[expected] ?? `a ${expected}`;
}

/** `a, b or c` */
export function anyOf(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

const MOST_SHOWN = 40;

function given(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "keys with values";
  if (typeof value !== "string") return String(value);
  return `"${plainLine(value, MOST_SHOWN)}"`;
}

function bound(origin: string, limit: number, relation: string): string {
  if (origin === "number" || origin === "int") return `must be ${relation} ${limit}`;
  const things = origin === "string" ? "characters" : "entries";
  return limit === 1 && relation === "at least" ? "must not be empty" : `must have ${relation} ${limit} ${things}`;
}
