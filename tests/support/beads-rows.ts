import type { BeadsIssue, JsonObject } from "../../mcp-server/src/features/task/interchange/beads-issue.schema.ts";
import { readRow } from "../../mcp-server/src/features/task/interchange/beads-read.rules.ts";

export const TIMES = { created_at: "2026-01-02T03:04:05Z", updated_at: "2026-01-02T03:04:06Z" };
export const CREATED = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A row with all that one must have. */
export function rowText(record: JsonObject): string {
  return JSON.stringify({ id: "pr-a1b", title: "Fix the pump", priority: 1, ...TIMES, ...record });
}

/** The issue of that row, with the codes of its warnings. */
export function readIssue(record: JsonObject): { issue: BeadsIssue; codes: string[] } {
  const row = readRow(rowText(record), 1);
  if (row.kind !== "issue") throw new Error(`read as ${row.kind}`);
  return { issue: row.issue, codes: row.warnings.map(({ code }) => code) };
}
