import * as z from "zod";
import { fenceText, plainLine } from "../../kernel/fence.ts";
import type { Operation } from "../../kernel/operation.ts";
import { isRecord } from "../../kernel/records.ts";

export interface ToolListing {
  name: string;
  description: string;
  inputSchema: { type: "object"; [key: string]: unknown };
  annotations: { readOnlyHint?: boolean; destructiveHint?: boolean; openWorldHint: boolean };
}

export type ToolList = "core" | "all";

function isListed(operation: Operation, list: ToolList): boolean {
  return operation.mcp === "core" || (list === "all" && operation.mcp === "all");
}

/** The tools of a list, in the table's order. `core` is the small list for clients without tool search. */
export function listTools(operations: readonly Operation[], list: ToolList): ToolListing[] {
  return operations
    .filter((operation) => isListed(operation, list))
    .map((operation) => {
      const hidden = hiddenFields(operation, list);
      const more = hidden.length === 0 ? "" : ` More fields: ${hidden.join(", ")}.`;
      return {
        name: operation.name,
        description: `${operation.description}${more}`,
        inputSchema: inputSchema(operation, hidden),
        annotations: annotations(operation),
      };
    });
}

/** A listing costs every session tokens: it names the rarer arguments only. They are accepted all the same. */
function hiddenFields(operation: Operation, list: ToolList): string[] {
  const shown = (list === "core" ? operation.coreFields : undefined) ?? operation.listedFields;
  return shown ? Object.keys(operation.input.shape).filter((field) => !shown.includes(field)) : [];
}

/** Only what differs from the protocol's defaults, except that a write always says whether it destroys. */
function annotations(operation: Operation): ToolListing["annotations"] {
  if (operation.kind === "read") return { readOnlyHint: true, openWorldHint: false };
  return { destructiveHint: operation.destructive ?? false, openWorldHint: false };
}

function inputSchema(operation: Operation, hidden: readonly string[]): ToolListing["inputSchema"] {
  const schema = z.toJSONSchema(operation.input, { io: "input", unrepresentable: "any" });
  const own = isRecord(schema.properties) ? schema.properties : {};
  const shown: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(own)) if (!hidden.includes(field)) shown[field] = slim(value);
  return { type: "object", properties: shown, ...(schema.required ? { required: schema.required } : {}) };
}

const unlisted = new Set([
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "$schema",
  "additionalProperties",
]);

/** Bounds that only repeat what a refusal says would cost every session tokens; validation keeps them. */
function slim(schema: unknown, inList = false): unknown {
  if (Array.isArray(schema)) return schema.map((item) => slim(item));
  if (!isRecord(schema)) return schema;
  // a shape that repeats its surroundings is described, not listed again
  if (typeof schema.brief === "string") return { type: "object", description: schema.brief };
  const { anyOf, ...rest } = schema;
  if (Array.isArray(anyOf) && anyOf.every((option) => isRecord(option) && option.type === "string"))
    return slim({ type: "string", ...rest }, inList);
  const entries = Object.entries(schema).filter(
    ([key, value]) => !(unlisted.has(key) && typeof value !== "object") && !(inList && key === "description"),
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, slim(value, inList || key === "items")]));
}

const proseFields = new Set([
  "description",
  "design",
  "acceptance",
  "notes",
  "text",
  "note",
  "resolution",
  "close_reason",
  "after",
  "done",
  "decisions",
  "plan",
  "questions",
  "orientation",
]);
const lineFields = new Set([
  "id",
  "task",
  "target",
  "title",
  "blocked",
  "blocked_by",
  "holder",
  "assignee",
  "by",
  "created_by",
  "declared_by",
  "name",
  "labels",
  "scope",
  "external_ref",
  "reasons",
]);

/** The call of another tool as the server words it, to be made as it stands. */
const OWN_WORDS = "spawn";

/** The same data with what people and agents wrote fenced, so that a report is not an instruction (design §1.9). */
export function fenceStored(value: unknown, field = ""): unknown {
  if (field === OWN_WORDS) return value;
  if (typeof value === "string") {
    if (lineFields.has(field)) return plainLine(value, 500);
    return proseFields.has(field) ? fenceText(field, value) : value;
  }
  if (Array.isArray(value)) return value.map((item) => fenceStored(item, field));
  if (!isRecord(value)) return value;
  const fenced = { ...value }; // a copy keeps its shape, which building it member by member does not
  for (const key of Object.keys(fenced)) {
    const member = fenceStored(fenced[key], key);
    if (member !== fenced[key]) fenced[key] = member;
  }
  return fenced;
}
