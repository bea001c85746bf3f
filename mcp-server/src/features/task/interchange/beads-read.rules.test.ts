import fc from "fast-check";
import { expect, test } from "vitest";
import { joinBackup } from "./beads-backup.rules.ts";
import type { BeadsIssue, JsonObject, ParsedRow } from "./beads-issue.schema.ts";
import { issuesOf, readBeads, readBeadsLines, readRow } from "./beads-read.rules.ts";

const TIMES = { created_at: "2026-01-02T03:04:05Z", updated_at: "2026-01-02T03:04:06Z" };
const CREATED = Date.UTC(2026, 0, 2, 3, 4, 5);

function text(record: JsonObject): string {
  return JSON.stringify({ id: "pr-a1b", title: "Fix the pump", priority: 1, ...TIMES, ...record });
}

function read(record: JsonObject): { issue: BeadsIssue; codes: string[] } {
  const row = readRow(text(record), 1);
  if (row.kind !== "issue") throw new Error(`read as ${row.kind}`);
  return { issue: row.issue, codes: row.warnings.map(({ code }) => code) };
}

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
    `${text({})}\r`,
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
  expect(outline(readBeadsLines(file.split("\n")))).toEqual(expected);
  const bytes = new TextEncoder().encode(file);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, n) => bytes.subarray(n * 7, n * 7 + 7));
  expect(readBeads(chunks)).toEqual(readBeads(file));
});

test("bytes that are no UTF-8 are replaced and reported", () => {
  const bytes = new TextEncoder().encode(text({}));
  bytes[bytes.indexOf(0x70, 20)] = 0xff;
  const [row] = readBeads(bytes);
  expect(row?.kind).toBe("issue");
  expect(row?.warnings.map(({ code }) => code)).toEqual(["invalid_utf8"]);
});

test("both sides of a committed conflict are taken, the common ancestor is not", () => {
  const newer = text({ id: "pr-1", updated_at: "2026-02-01T00:00:00Z", title: "theirs" });
  const rows = readBeads(
    [
      "<<<<<<< HEAD",
      text({ id: "pr-1" }),
      text({ id: "pr-2" }),
      "||||||| base",
      text({ id: "pr-9" }),
      "=======",
      newer,
      ">>>>>>> branch",
      text({ id: "pr-3" }),
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
  const late = text({ updated_at: "2026-03-01T00:00:00.5Z", title: "late" });
  const early = text({ updated_at: "2026-03-01T00:00:00.25Z", title: "early" });
  const rows = readBeads(`${late}\n${early}`);
  expect(issuesOf(rows).map(({ title }) => title)).toEqual(["late"]);
  expect(rows[1]).toMatchObject({ kind: "duplicate", winnerLine: 1 });
  const whole = text({ updated_at: "2026-03-01T00:00:00Z", title: "whole" });
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
  const row = readRow(text(gone), 1);
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
  expect(read({ ...gone, status: "open" }).issue.status).toEqual({ state: "open" });
});

test.each([
  ["open", { state: "open" }],
  ["", { state: "open" }],
  ["in_progress", { state: "in_progress" }],
  ["blocked", { state: "open", blockedFlag: true }],
  ["deferred", { state: "deferred" }],
  ["closed", { state: "closed", outcome: "done" }],
  ["done", { state: "closed", outcome: "done", foreignStatus: "done" }],
  ["hooked", { state: "in_progress", foreignStatus: "hooked" }],
  ["pinned", { state: "deferred", foreignStatus: "pinned" }],
  ["in_review", { state: "in_review", foreignStatus: "in_review" }],
  ["triage", { state: "deferred", foreignStatus: "triage" }],
  ["constructor", { state: "deferred", foreignStatus: "constructor" }],
])("status %s", (status, expected) => {
  expect(read({ status }).issue.status).toEqual(expected);
});

test("a blocked issue that was started is in progress, blocked", () => {
  expect(read({ status: "blocked", started_at: TIMES.created_at }).issue.status).toEqual({
    state: "in_progress",
    blockedFlag: true,
  });
});

test("metadata.teamwright refines the status only while it matches it", () => {
  const own = {
    state: "in_review",
    team: "core",
    points: 3,
    scope: ["src/**"],
    blocked_reason: "db",
    outcome: "failed",
  };
  const metadata = { teamwright: own, other: 1 };
  const { issue } = read({ status: "in_progress", metadata });
  expect(issue.status).toEqual({ state: "in_review" });
  expect(issue.own).toEqual({ team: "core", points: 3, scope: ["src/**"], blockedReason: "db" });
  expect(issue.metadata).toEqual({ other: 1 });
  expect(read({ status: "open", metadata }).issue.status).toEqual({ state: "open" });
  expect(read({ status: "closed", metadata, closed_at: TIMES.updated_at }).issue.status).toEqual({
    state: "closed",
    outcome: "failed",
  });
});

test.each([
  [0, 0, []],
  ["P1", 1, []],
  ["3", 3, []],
  ["high", 1, []],
  [9, 4, ["bad_priority"]],
  ["soon", 2, ["bad_priority"]],
  [null, 2, ["priority_absent"]],
])("priority %s reads as %s", (priority, expected, codes) => {
  const found = read({ priority });
  expect(found.issue.priority).toBe(expected);
  expect(found.codes).toEqual(codes);
});

test("an absent priority is P0 only for those who want bd's own reading", () => {
  const row = readRow(text({ priority: null }), 1, { strict: "bd" });
  expect(row.kind === "issue" && row.issue.priority).toBe(0);
  expect(row.warnings).toEqual([]);
});

test("kinds: absent is task, aliases are resolved, anything else is kept", () => {
  const kinds = ["", "feat", "ADR", "user-story", "mr", "question"].map(
    (issue_type) => read({ issue_type }).issue.kind,
  );
  expect(kinds).toEqual(["task", "feature", "decision", "story", "merge-request", "question"]);
});

test("closed_at follows the status", () => {
  const missing = read({ status: "closed" });
  expect(missing.issue.closedAt).toBe(CREATED + 2000);
  expect(missing.codes).toEqual(["closed_without_closed_at"]);
  const extra = read({ status: "open", closed_at: TIMES.updated_at });
  expect(extra.issue.closedAt).toBeUndefined();
  expect(extra.codes).toEqual(["closed_at_on_open"]);
});

test("times of every style are one instant; zero times are none", () => {
  const styles = [
    "2026-01-02T04:04:05+01:00",
    "2026-01-02T03:04:05.000Z",
    "2026-01-02 03:04:05Z",
    "2026-01-01T20:04:05.0-07:00",
  ];
  for (const created_at of styles) expect(read({ created_at }).issue.createdAt).toBe(CREATED);
  expect(read({ created_at: "2026-01-02T03:04:05.123456789Z" }).issue.createdAt).toBe(CREATED + 123);
  expect(read({ due_at: "0001-01-01T00:00:00Z" }).issue.dueAt).toBeUndefined();
  expect(read({ due_at: "2026-02-30T00:00:00Z" }).codes).toEqual(["bad_time"]);
  expect(read({ due_at: "2026-02-03 10:00:00" }).codes).toEqual(["time_without_zone"]);
});

test("a title beyond 500 bytes is kept in full, a missing one replaced by the id", () => {
  const long = "ü".repeat(251);
  expect(read({ title: long })).toMatchObject({ issue: { title: long }, codes: ["title_too_long"] });
  expect(read({ title: " " })).toMatchObject({ issue: { title: "pr-a1b" }, codes: ["title_missing"] });
});

test("edges: defaults, dangling ones, metadata as text or object, thread", () => {
  const { issue, codes } = read({
    dependencies: [
      { depends_on_id: "pr-gone" },
      {
        issue_id: "pr-a1b",
        depends_on_id: "pr-s",
        type: "waits-for",
        metadata: '{"gate":"any-children"}',
        thread_id: "",
      },
      { issue_id: "pr-a1b", depends_on_id: "pr-t", type: "tracks", metadata: { n: 1 }, thread_id: "t1" },
      { issue_id: "pr-a1b", depends_on_id: "pr-u", type: "related", metadata: "{}" },
    ],
  });
  expect(codes).toEqual([]);
  expect(issue.dependencies).toEqual([
    { target: "pr-gone", type: "blocks" },
    { target: "pr-s", type: "waits-for", metadata: { gate: "any-children" } },
    { target: "pr-t", type: "tracks", metadata: { n: 1 }, threadId: "t1" },
    { target: "pr-u", type: "related" },
  ]);
});

test("edges that bd cannot hold are reported", () => {
  const { issue, codes } = read({
    dependencies: [
      { depends_on_id: "pr-x", type: "parent-child" },
      { depends_on_id: "pr-x", type: "blocks" },
      { depends_on_id: "pr-x", type: "parent-child" },
      { depends_on_id: "pr-y", type: "blocked-by" },
      { depends_on_id: "pr-a1b" },
      { issue_id: "pr-z", depends_on_id: "pr-x" },
      { type: "blocks" },
    ],
  });
  expect(issue.dependencies).toEqual([
    { target: "pr-x", type: "parent-child" },
    { target: "pr-y", type: "blocked-by" },
  ]);
  expect(codes.toSorted()).toEqual([
    "blocked_by_edge",
    "dependency_duplicate",
    "dependency_foreign_owner",
    "dependency_invalid",
    "dependency_retyped",
    "dependency_self",
  ]);
});

test("early relation fields become edges, wisp becomes ephemeral", () => {
  const { issue } = read({
    replies_to: "pr-1",
    relates_to: ["pr-2", "pr-3"],
    duplicate_of: "pr-4",
    superseded_by: "pr-5",
    wisp: true,
  });
  expect(issue.dependencies.map(({ type, target }) => `${type} ${target}`)).toEqual([
    "replies-to pr-1",
    "relates-to pr-2",
    "relates-to pr-3",
    "duplicates pr-4",
    "supersedes pr-5",
  ]);
  expect(issue.ephemeral).toBe(true);
});

test("comments: integer ids are namespaced, repeats dropped, clashing ids told apart", () => {
  const comment = { issue_id: "pr-a1b", author: "kim", text: "hi", created_at: TIMES.created_at };
  const { issue, codes } = read({
    comments: [{ id: 5, ...comment }, { id: 6, ...comment }, { id: 5, ...comment, text: "ho" }, { id: 7 }],
  });
  expect(issue.comments.map(({ id, text: said }) => [id, said])).toEqual([
    ["pr-a1b/5", "hi"],
    ["pr-a1b/5~2", "ho"],
  ]);
  expect(codes).toEqual(["comment_duplicate", "comment_invalid"]);
});

test("labels keep their bytes and count once after trimming", () => {
  expect(read({ labels: [" ui", "ui", "", "db "] }).issue.labels).toEqual([" ui", "db "]);
});

test("a table dump is recognised and joined with its sibling files", () => {
  const dump = text({
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
  const row = readRow(text({ description: "x".repeat(64 * 1024 * 1024) }), 1);
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
