import { operations } from "../../mcp-server/src/features/index.ts";
import { instructions } from "../../mcp-server/src/surfaces/mcp/instructions.ts";
import { listOf, partsOf, type ShippedText, shippedTexts } from "./shipped-text.ts";

/** What every session pays for skills and roles before anybody uses one; design's and issue's limit. */
export const MAX_LISTING_TOKENS = 1000;

export interface Listed {
  readonly part: "skills" | "roles" | "server instructions" | "tool names";
  /** As the client writes them, without the line's end. */
  readonly lines: readonly string[];
}

/** The lines that the client puts into every session for this plugin, as seen in its requests. */
export function listing(root: string): Listed[] {
  const texts = shippedTexts(root);
  const lines = (kind: ShippedText["kind"]) => texts.filter((text) => text.kind === kind).map(listingLine);
  return [
    { part: "skills", lines: lines("skill") },
    { part: "roles", lines: lines("agent") },
    { part: "server instructions", lines: ["## plugin:teamwright:teamwright", ...instructions.split("\n")] },
    {
      part: "tool names",
      lines: operations
        .filter(({ mcp }) => mcp !== "none")
        .map(({ name }) => `mcp__plugin_teamwright_teamwright__${name}`),
    },
  ];
}

/** `- teamwright:name: description`, with the tools behind a role's. */
export function listingLine({ kind, name, text }: ShippedText): string {
  const parts = partsOf(text);
  if (typeof parts === "string") return `- teamwright:${name}`;
  const { description, tools, disallowedTools } = parts.fields;
  const without = listOf(disallowedTools).join(", ");
  const given = listOf(tools).join(", ") || (without === "" ? "All tools" : `All tools except ${without}`);
  return `- teamwright:${name}: ${String(description)}${kind === "agent" ? ` (Tools: ${given})` : ""}`;
}

/** Bytes ÷ 4, line ends included. */
export function tokensOf(lines: readonly string[]): number {
  return Math.ceil(lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0) / 4);
}

/** Tokens of skills and roles together: what the limit is about. */
export function listingTokens(root: string): number {
  return listing(root)
    .filter(({ part }) => part === "skills" || part === "roles")
    .reduce((sum, { lines }) => sum + tokensOf(lines), 0);
}

/** docs/listing-cost.md */
export function listingCostPage(root: string, note: string): string {
  const parts = listing(root);
  const texts = shippedTexts(root);
  const rows = parts.map(({ part, lines }) => `| ${part} | ${lines.length} | ${tokensOf(lines)} |`);
  const each = texts.map(
    (text) =>
      `| ${text.kind === "skill" ? "skill" : "role"} | ${text.name} | ${tokensOf([listingLine(text)])} | ${tokensOf([text.text])} |`,
  );
  return `${[
    "# What the plugin costs a session",
    "",
    note,
    "",
    `Before anybody uses it the client tells each session the names and descriptions of skills and roles: **${listingTokens(root)} tokens** (bytes ÷ 4), at most ${MAX_LISTING_TOKENS}.`,
    "Beside them stand the server's instructions and, since tools are loaded when they are searched for, the names of its tools.",
    "",
    "| Part | Lines | Tokens |",
    "|---|---|---|",
    ...rows,
    "",
    "A skill's text is read when it is invoked, a role's when an agent of it is started.",
    "",
    "| Kind | Name | Listed | When used |",
    "|---|---|---|---|",
    ...each,
  ].join("\n")}\n`;
}
