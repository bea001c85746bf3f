import * as z from "zod";
import type { Operation } from "../../kernel/operation.ts";

export type FlagType = "text" | "number" | "boolean" | "choice" | "list" | "json";

/** One input field as the command line sees it. */
export interface Flag {
  readonly field: string;
  /** Kebab-case, without the dashes. */
  readonly name: string;
  readonly type: FlagType;
  /** Of the value, or of each item of a list. */
  readonly choices: readonly string[];
  readonly isNumeric: boolean;
  readonly description: string;
  readonly required: boolean;
  /** What stands for the value in help: `TEXT`, `N`, `open|closed`, `JSON`. */
  readonly placeholder: string;
}

/** The flags every command takes; no input field may use one of these names (tests/catalog.test.ts). */
export const globalFlags = [
  { name: "json", description: "Print the result, or the error, as JSON." },
  { name: "quiet", description: "Print errors only." },
  { name: "help", description: "Show this help." },
] as const;
export const inputFlag = {
  name: "input",
  description: "All arguments as one JSON object, or @FILE, or @- for standard input; flags win over it.",
};
export const idempotencyFlag = { name: "idempotency-key", description: "Same key, same answer: makes a retry safe." };

export function toKebab(field: string): string {
  return field.replaceAll("_", "-");
}

/** Derives the flags of an operation from its input schema, in the schema's order. */
export function flagsOf(operation: Operation): readonly Flag[] {
  return Object.entries(operation.input.shape).map(([field, schema]) => toFlag(field, schema as z.core.$ZodType));
}

function toFlag(field: string, schema: z.core.$ZodType): Flag {
  const value = valueSchema(schema);
  const { type, choices, isNumeric } = classify(value);
  return {
    field,
    name: toKebab(field),
    type,
    choices,
    isNumeric,
    description: describe(schema),
    required: !z.safeParse(schema, undefined).success,
    placeholder: placeholder(type, choices, isNumeric),
  };
}

/** The description nearest to the field: a wrapper's own wins over that of what it wraps. */
export function describe(schema: z.core.$ZodType): string {
  for (let current: z.core.$ZodType | undefined = schema; current; current = unwrapOnce(current)) {
    const text = z.globalRegistry.get(current)?.description;
    if (text) return text;
  }
  return "";
}

/** Without `optional`, `default`, `nullable`. */
export function valueSchema(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = unwrapOnce(schema);
  return inner ? valueSchema(inner) : schema;
}

function unwrapOnce(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const def = schema._zod.def;
  if (def.type === "pipe") return (def as z.core.$ZodPipeDef).in;
  // The wrappers are the definitions with an inner type; zod has no common name for them.
  return "innerType" in def ? (def.innerType as z.core.$ZodType) : undefined;
}

function classify(schema: z.core.$ZodType): Pick<Flag, "type" | "choices" | "isNumeric"> {
  const def = schema._zod.def;
  const scalar = { choices: [], isNumeric: false };
  if (def.type === "boolean") return { type: "boolean", ...scalar };
  if (def.type === "number" || def.type === "int") return { type: "number", choices: [], isNumeric: true };
  if (def.type === "enum" || def.type === "literal")
    return { type: "choice", choices: [...(schema._zod.values ?? [])].map(String), isNumeric: false };
  if (def.type === "string") return { type: "text", ...scalar };
  if (def.type === "union") {
    const options = (def as z.core.$ZodUnionDef).options.map((option) => classify(valueSchema(option)).type);
    return { type: options.every((type) => type === "text" || type === "choice") ? "text" : "json", ...scalar };
  }
  if (def.type !== "array") return { type: "json", ...scalar };
  const item = classify(valueSchema((def as z.core.$ZodArrayDef).element));
  return item.type === "text" || item.type === "choice" || item.type === "number"
    ? { ...item, type: "list" }
    : { type: "json", ...scalar };
}

function placeholder(type: FlagType, choices: readonly string[], isNumeric: boolean): string {
  if (type === "boolean") return "";
  if (type === "json") return "JSON";
  const one = choices.length > 0 ? choices.join("|") : isNumeric ? "N" : "TEXT";
  return type === "list" ? `${one},…` : one;
}
