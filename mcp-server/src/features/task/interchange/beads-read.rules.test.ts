import fc from "fast-check";
import { expect, test } from "vitest";
import { CREATED, readIssue, rowText } from "../../../../../tests/support/beads-rows.ts";
import { joinBackup } from "./beads-backup.rules.ts";
import type { ParsedRow } from "./beads-issue.schema.ts";
import { issuesOf, readBeads, readRow } from "./beads-read.rules.ts";

function outline(rows: ParsedRow[]): string[] {
  return rows.map((row) => `${row.line} ${row.kind}${row.kind === "bad" ? ` ${row.reason}` : ""}`);
}

test("a row in the oldest shape: numeric id, offset times with microseconds, one parent edge", () => {
  const raw =
    '{"id":"pr-12","title":"Old","status":"open","priority":1,"issue_type":"task","created_at":"2025-10-12T13:09:11.250001-07:00","updated_at":"2025-10-12T13:09:11.250001-07:00","dependencies":[{"issue_id":"pr-12","depends_on_id":"pr-1","type":"parent-child","created_at":"2025-10-12T13:10:00.5-07:00","created_by":"kim"}]}';
  const [row] = readBeads(`${raw}\n`);
  expect(row).toMatchObject({ kind: "issue", line: 1, raw, warnings: [], shape: "export" });
  expect(row?.kind === "issue" && row.issue).toMatchObject({
    id: "pr-12",
    kind: "task",
    status: { state: "open" },
    createdAt: Date.UTC(2025, 9, 12, 20, 9, 11, 250),
    dependencies: [
      { target: "pr-1", type: "parent-child", createdBy: "kim", createdAt: Date.UTC(2025, 9, 12, 20, 10, 0, 500) },
    ],
  });
});

test("line forms: mark, CRLF, blank lines, header, memory, unknown type, torn and foreign lines keep their numbers", () => {
  const file = [
    '\ufeff{"_schema":"beads-jsonl/1","_sort":"stable-v1"}\r',
    `${rowText({})}\r`,
    "",
    '{"_type":"memory","key":"k","value":"v"}',
    '{"_type":"lease","id":"x"}',
    '{"id":"pr-2","title":"cut',
    "hello",
    "[1]",
    '{"title":"no id"}',
    '{"_type":"memory","value":"v"}',
    `{"id":"pr-3","x":${"[".repeat(300)}${"]".repeat(300)}}`,
  ].join("\n");
  const expected = [
    "1 header",
    "2 issue",
    "4 memory",
    "5 unknown",
    "6 bad torn",
    "7 bad not_json",
    "8 bad not_object",
    "9 bad missing_id",
    "10 bad missing_key",
    "11 bad too_deep",
  ];
  expect(outline(readBeads(file))).toEqual(expected);
  const bytes = new TextEncoder().encode(file);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, n) => bytes.subarray(n * 7, n * 7 + 7));
  expect(readBeads(chunks)).toEqual(readBeads(file));
});

test("a row with bytes that are no UTF-8 is bad, says where, and leaves the others alone", () => {
  const whole = ["pr-1", "pr-2", "pr-3"].map((id) => rowText({ id, title: "Schlüssel 🔑 for all" })).join("\r\n");
  const before = Buffer.byteLength(whole.slice(0, whole.indexOf("pr-2")));
  const cuts: [string, number[], number][] = [
    ["a lone byte", [0xff], 0],
    ["Latin-1", [0x67, 0xfc, 0x6e], 1],
    ["a character cut off", [0x61, 0xe2, 0x82, 0x62], 1],
    ["one that begins like U+FFFD", [0xef, 0xbf, 0x41], 0],
    ["U+FFFD itself, then a surrogate", [0xef, 0xbf, 0xbd, 0xed, 0xa0, 0x80], 3],
  ];
  for (const [name, bad, at] of cuts) {
    const bytes = Buffer.concat([
      Buffer.from(whole).subarray(0, before),
      Buffer.from(bad),
      Buffer.from(whole).subarray(before),
    ]);
    const rows = readBeads(bytes);
    expect(outline(rows), name).toEqual(["1 issue", "2 bad invalid_utf8", "3 issue"]);
    const message = `the row is not UTF-8 from byte ${before + at} of the file on`;
    expect(rows[1], name).toMatchObject({ message });
    const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, n) => bytes.subarray(n * 7, n * 7 + 7));
    expect(readBeads(chunks), name).toEqual(rows);
  }
  const genuine = new TextEncoder().encode(rowText({ title: "a \ufffd that is meant" }));
  expect(outline(readBeads(genuine))).toEqual(["1 issue"]);
});

test("both sides of a committed conflict are taken, the common ancestor is not", () => {
  const newer = rowText({ id: "pr-1", updated_at: "2026-02-01T00:00:00Z", title: "theirs" });
  const rows = readBeads(
    [
      "<<<<<<< HEAD",
      rowText({ id: "pr-1" }),
      rowText({ id: "pr-2" }),
      "||||||| base",
      rowText({ id: "pr-9" }),
      "=======",
      newer,
      ">>>>>>> branch",
      rowText({ id: "pr-3" }),
    ].join("\n"),
  );
  expect(outline(rows)).toEqual([
    "1 marker",
    "2 duplicate",
    "3 issue",
    "4 marker",
    "5 bad conflict_base",
    "6 marker",
    "7 issue",
    "8 marker",
    "9 issue",
  ]);
  expect(rows[6]?.warnings.map(({ code }) => code)).toEqual(["conflict_side", "duplicate_id"]);
  expect(issuesOf(rows).map(({ title }) => title)).toEqual(["Fix the pump", "theirs", "Fix the pump"]);
});

test("of two rows with one id the newer wins wherever it stands, of equals the last", () => {
  const late = rowText({ updated_at: "2026-03-01T00:00:00.5Z", title: "late" });
  const early = rowText({ updated_at: "2026-03-01T00:00:00.25Z", title: "early" });
  const rows = readBeads(`${late}\n${early}`);
  expect(issuesOf(rows).map(({ title }) => title)).toEqual(["late"]);
  expect(rows[1]).toMatchObject({ kind: "duplicate", winnerLine: 1 });
  const whole = rowText({ updated_at: "2026-03-01T00:00:00Z", title: "whole" });
  const tied = readBeads(`${late}\n${whole}`);
  expect(issuesOf(tied).map(({ title }) => title)).toEqual(["whole"]);
  expect(tied[1]?.warnings.map(({ code }) => code)).toEqual(["duplicate_id", "duplicate_tie"]);
});

test("tombstones become deletion records; a revived issue is alive", () => {
  const gone = {
    status: "tombstone",
    deleted_at: "2026-01-03T00:00:00Z",
    deleted_by: "kim",
    delete_reason: "dup",
    original_type: "bug",
  };
  const row = readRow(rowText(gone), 1);
  expect(row).toMatchObject({
    kind: "tombstone",
    tombstone: {
      id: "pr-a1b",
      deletedBy: "kim",
      deleteReason: "dup",
      originalType: "bug",
      deletedAt: Date.UTC(2026, 0, 3),
    },
  });
  expect(readIssue({ ...gone, status: "open" }).issue.status).toEqual({ state: "open" });
});

test("a table dump is recognised and joined with its sibling files", () => {
  const dump = rowText({
    content_hash: "ab",
    timeout_ns: 0,
    waiters: "",
    assignee: null,
    description: "",
    ephemeral: 0,
    pinned: 1,
    metadata: '{"a":1}',
    estimated_minutes: null,
    closed_at: null,
  });
  const rows = readBeads(dump);
  const joined = joinBackup(rows, {
    dependencies: '{"issue_id":"pr-a1b","depends_on_id":"pr-1","type":"blocks","metadata":"{}"}\n{"oops":1}',
    labels: '{"issue_id":"pr-a1b","label":"ui"}',
    comments: '{"id":"c1","issue_id":"pr-a1b","author":"kim","text":"hi","created_at":"2026-01-02 03:04:05"}',
  });
  expect(joined.badLines).toEqual([{ table: "dependencies", line: 2 }]);
  expect(joined.rows[0]).toMatchObject({
    shape: "backup",
    issue: {
      pinned: true,
      ephemeral: false,
      metadata: { a: 1 },
      dependencies: [{ target: "pr-1", type: "blocks" }],
      labels: ["ui"],
      comments: [{ id: "c1", createdAt: CREATED }],
    },
  });
});

test("a line as long as bd's limit is read", () => {
  const row = readRow(rowText({ description: "x".repeat(64 * 1024 * 1024) }), 1);
  expect(row.kind === "issue" && row.issue.description?.length).toBe(64 * 1024 * 1024);
});

const odd = fc.dictionary(
  fc.constantFrom(
    "id",
    "title",
    "status",
    "priority",
    "created_at",
    "closed_at",
    "labels",
    "comments",
    "dependencies",
    "metadata",
    "_type",
    "__proto__",
    "wisp",
    "estimated_minutes",
    "relates_to",
  ),
  fc.jsonValue(),
);

test("never throws and accounts for every non-blank line of any text", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    odd.map((record) => JSON.stringify(record)),
    fc.constantFrom("<<<<<<< a", "=======", ">>>>>>> b"),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const file = lines.join("\n");
      const rows = readBeads(file);
      expect(rows).toHaveLength(file.split("\n").filter((each) => each.replace(/^\ufeff/, "").trim() !== "").length);
      const ids = rows.flatMap((row) =>
        row.kind === "issue" ? [row.issue.id] : row.kind === "tombstone" ? [row.tombstone.id] : [],
      );
      expect(new Set(ids).size).toBe(ids.length);
    }),
    { numRuns: 1000 },
  );
});
