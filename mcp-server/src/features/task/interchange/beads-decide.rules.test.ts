import { expect, test } from "vitest";
import { contentText, decideImport, differingFields, type ExistingRow } from "./beads-decide.rules.ts";
import type { BeadsIssue, JsonObject, ParsedRow } from "./beads-issue.schema.ts";
import { readRow } from "./beads-read.rules.ts";
import { renderRow } from "./beads-row.rules.ts";
import { instantFromMs } from "./beads-time.rules.ts";

const BASE = { id: "pr-1", title: "Fix the pump", priority: 2, created_at: "2026-01-02T03:04:05Z" };

function row(updated: string, over: JsonObject = {}): ParsedRow {
  return readRow(JSON.stringify({ ...BASE, updated_at: `2026-02-01T00:00:${updated}`, ...over }), 1);
}

function issueOf(parsed: ParsedRow): BeadsIssue {
  if (parsed.kind !== "issue") throw new Error(`read as ${parsed.kind}`);
  return parsed.issue;
}

function existing(parsed: ParsedRow): ExistingRow {
  const issue = issueOf(parsed);
  return { updatedAt: issue.updatedAt, contentDigest: contentText(issue), issue };
}

function decide(local: ParsedRow | undefined, incoming: ParsedRow, options = {}): string {
  const contentDigest = incoming.kind === "issue" ? contentText(incoming.issue) : "";
  const decision = decideImport(local && existing(local), { row: incoming, contentDigest }, options);
  return [decision.verdict, decision.reason, ...decision.fields].join(" ");
}

test("unknown ids are created", () => {
  expect(decide(undefined, row("01Z"))).toBe("created new");
});

test("equal content is kept, whatever the times and however it is written", () => {
  expect(decide(row("01Z"), row("01Z"))).toBe("kept identical");
  expect(decide(row("01Z"), row("09Z", { labels: [], content_hash: "x", dependency_count: 3, thread: "" }))).toBe(
    "kept identical",
  );
  expect(decide(row("09Z"), row("01Z"))).toBe("kept identical");
});

test.each([
  ["01Z", "02Z", "updated newer notes"],
  ["02Z", "01Z", "kept stale notes"],
  ["01Z", "01Z", "conflict same_time notes"],
  ["01.2Z", "01Z", "conflict same_time notes"],
  ["01Z", "01.9Z", "conflict same_time notes"],
  ["01.499Z", "01.5Z", "updated newer notes"],
  ["01.5Z", "01.499Z", "kept stale notes"],
  ["01.5Z", "01.5Z", "conflict same_time notes"],
  ["01.999Z", "02Z", "updated newer notes"],
])("stored at :%s, incoming at :%s: %s", (stored, incoming, expected) => {
  expect(decide(row(stored), row(incoming, { notes: "other" }))).toBe(expected);
});

test("digits below a millisecond count when the stored text is given", () => {
  const local = row("01.1234561Z");
  const incoming = row("01.1234562Z", { notes: "other" });
  const stored = { ...existing(local), updatedAtText: "2026-02-01T00:00:01.1234561Z" };
  expect(decideImport(stored, { row: incoming, contentDigest: "" }).verdict).toBe("updated");
});

test("a foreign field alone makes a difference, an empty one does not", () => {
  expect(decide(row("01Z"), row("02Z", { sender: "kim" }))).toBe("updated newer sender");
  expect(decide(row("01Z"), row("02Z", { sender: "", compaction_level: 0, waiters: [] }))).toBe("kept identical");
});

test("stale rows are taken only on request, and said to be", () => {
  expect(decide(row("02Z"), row("01Z", { notes: "old" }), { allowStale: true })).toBe("updated stale_allowed notes");
});

test("one id for two issues is a conflict, not a blend", () => {
  expect(decide(row("01Z"), row("02Z", { title: "Paint", created_at: "2026-01-09T00:00:00Z" }))).toBe(
    "conflict different_issue title",
  );
  expect(decide(row("01Z"), row("02Z", { title: "Paint" }))).toBe("updated newer title");
});

test("deletion records delete older rows and keep newer ones", () => {
  const tombstone = row("05Z", { status: "tombstone" });
  expect(decide(row("01Z"), tombstone)).toBe("updated deleted");
  expect(decide(row("09Z"), tombstone)).toBe("kept stale");
  expect(decide(undefined, tombstone)).toBe("created deleted");
  const gone = { ...existing(row("05Z")), isDeleted: true };
  expect(decideImport(gone, { row: tombstone }).reason).toBe("already_deleted");
  expect(decideImport(gone, { row: row("06Z"), contentDigest: "" })).toMatchObject({
    verdict: "updated",
    reason: "revived",
  });
  expect(decideImport(gone, { row: row("04Z"), contentDigest: "" })).toMatchObject({
    verdict: "kept",
    reason: "stale",
  });
});

test("rows that are no issue have verdicts too", () => {
  const verdicts = ["{", '{"_type":"lease"}', '{"_schema":"x"}', '{"_type":"memory","key":"k"}'].map((text) =>
    decide(undefined, readRow(text, 1)),
  );
  expect(verdicts).toEqual([
    "quarantined bad_row",
    "quarantined unknown_type",
    "kept not_an_issue",
    "kept not_an_issue",
  ]);
});

test("an export of ours comes back as identical, fractions of seconds and bumped times notwithstanding", () => {
  const stored: BeadsIssue = {
    ...issueOf(row("01.3Z", { dependencies: [{ depends_on_id: "pr-0" }], metadata: { n: 1 } })),
    notes: "changed",
    status: { state: "closed", outcome: "failed" },
    closedAt: Date.UTC(2026, 1, 1, 0, 0, 1, 400),
    comments: [{ id: "local-1", author: "kim", text: "hi", createdAt: Date.UTC(2026, 1, 1, 0, 0, 1, 999) }],
    updatedAt: Date.UTC(2026, 1, 1, 0, 0, 1, 450),
  };
  const back = issueOf(readRow(renderRow(stored), 1));
  expect(differingFields(stored, back)).toEqual([]);
  expect(contentText(stored)).toBe(contentText(back));
});

test("negative and fractional milliseconds are instants too", () => {
  expect(instantFromMs(-1)).toEqual({ seconds: -1, nanos: 999_000_000, zoned: true });
});
