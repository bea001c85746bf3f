import * as z from "zod";
import { fenceText, plainLine } from "../../kernel/fence.ts";
import type { Operation } from "../../kernel/operation.ts";
import { isRecord } from "../../kernel/records.ts";

export interface ToolListing {
  name: string;
  description: string;
  inputSchema: { type: "object"; [key: string]: unknown };
  annotations: { readOnlyHint: boolean; destructiveHint: boolean; idempotentHint: boolean; openWorldHint: boolean };
}

const idempotencyKey = { type: "string", maxLength: 200, description: "Same key, same answer: makes a retry safe." };

/** The tools of a list, in the table's order. `core` is the small list for clients without tool search. */
export function listTools(operations: readonly Operation[], list: "core" | "all"): ToolListing[] {
  return operations
    .filter((operation) => operation.mcp === "core" || (list === "all" && operation.mcp === "all"))
    .map((operation) => ({
      name: operation.name,
      description: operation.description,
      inputSchema: inputSchema(operation),
      annotations: {
        readOnlyHint: operation.kind === "read",
        destructiveHint: operation.destructive ?? false,
        idempotentHint: operation.kind === "read",
        openWorldHint: false,
      },
    }));
}

function inputSchema(operation: Operation): ToolListing["inputSchema"] {
  const { $schema: _, ...schema } = z.toJSONSchema(operation.input, { io: "input", unrepresentable: "any" });
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {};
  const own = operation.kind === "write" ? { ...properties, idempotency_key: idempotencyKey } : properties;
  return { ...(slim(schema) as object), type: "object", properties: slim(own) as object };
}

/** Patterns and bounds that only repeat what the error says would cost every session tokens. */
function slim(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(slim);
  if (!isRecord(schema)) return schema;
  const dropped = new Set(["maxLength", "minLength", "pattern", "maxItems", "minItems", "$schema"]);
  const entries = Object.entries(schema).filter(([key, value]) => {
    if (dropped.has(key) && typeof value !== "object") return false;
    return !((key === "minimum" || key === "maximum" || key === "exclusiveMinimum") && typeof value === "number" && Math.abs(value) > 1000);
  });
  return Object.fromEntries(entries.map(([key, value]) => [key, slim(value)]));
}

const proseFields = new Set(["description", "design", "acceptance", "notes", "text", "note", "resolution", "close_reason"]);
const lineFields = new Set(["title", "blocked", "holder", "assignee", "by", "created_by", "name"]);

/** The same data with what people and agents wrote fenced, so that a report is not an instruction (design §1.9). */
export function fenceStored(value: unknown, field = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => fenceStored(item, field));
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fenceStored(member, key)]));
  if (typeof value !== "string") return value;
  if (proseFields.has(field)) return fenceText(field, value);
  if (lineFields.has(field)) return plainLine(value, 500);
  return value;
}
