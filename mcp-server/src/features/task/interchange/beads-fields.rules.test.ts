import { expect, test } from "vitest";
import { CREATED, readIssue, rowText, TIMES } from "../../../../../tests/support/beads-rows.ts";
import { readRow } from "./beads-read.rules.ts";

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
  expect(readIssue({ status }).issue.status).toEqual(expected);
});

test("a blocked issue that was started is in progress, blocked", () => {
  expect(readIssue({ status: "blocked", started_at: TIMES.created_at }).issue.status).toEqual({
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
  const { issue } = readIssue({ status: "in_progress", metadata });
  expect(issue.status).toEqual({ state: "in_review" });
  expect(issue.own).toEqual({ team: "core", points: 3, scope: ["src/**"], blockedReason: "db" });
  expect(issue.metadata).toEqual({ other: 1 });
  expect(readIssue({ status: "open", metadata }).issue.status).toEqual({ state: "open" });
  expect(readIssue({ status: "closed", metadata, closed_at: TIMES.updated_at }).issue.status).toEqual({
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
  const found = readIssue({ priority });
  expect(found.issue.priority).toBe(expected);
  expect(found.codes).toEqual(codes);
});

test("an absent priority is P0 only for those who want bd's own reading", () => {
  const row = readRow(rowText({ priority: null }), 1, { strict: "bd" });
  expect(row.kind === "issue" && row.issue.priority).toBe(0);
  expect(row.warnings).toEqual([]);
});

test("kinds: absent is task, aliases are resolved, anything else is kept", () => {
  const kinds = ["", "feat", "ADR", "user-story", "mr", "question"].map(
    (issue_type) => readIssue({ issue_type }).issue.kind,
  );
  expect(kinds).toEqual(["task", "feature", "decision", "story", "merge-request", "question"]);
});

test("closed_at follows the status", () => {
  const missing = readIssue({ status: "closed" });
  expect(missing.issue.closedAt).toBe(CREATED + 2000);
  expect(missing.codes).toEqual(["closed_without_closed_at"]);
  const extra = readIssue({ status: "open", closed_at: TIMES.updated_at });
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
  for (const created_at of styles) expect(readIssue({ created_at }).issue.createdAt).toBe(CREATED);
  expect(readIssue({ created_at: "2026-01-02T03:04:05.123456789Z" }).issue.createdAt).toBe(CREATED + 123);
  expect(readIssue({ due_at: "0001-01-01T00:00:00Z" }).issue.dueAt).toBeUndefined();
  expect(readIssue({ due_at: "2026-02-30T00:00:00Z" }).codes).toEqual(["bad_time"]);
  expect(readIssue({ due_at: "2026-02-03 10:00:00" }).codes).toEqual(["time_without_zone"]);
});

test("a title beyond 500 bytes is kept in full, a missing one replaced by the id", () => {
  const long = "ü".repeat(251);
  expect(readIssue({ title: long })).toMatchObject({ issue: { title: long }, codes: ["title_too_long"] });
  expect(readIssue({ title: " " })).toMatchObject({ issue: { title: "pr-a1b" }, codes: ["title_missing"] });
});

test("edges: defaults, dangling ones, metadata as text or object, thread", () => {
  const { issue, codes } = readIssue({
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
  const { issue, codes } = readIssue({
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
  const { issue } = readIssue({
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
  const { issue, codes } = readIssue({
    comments: [{ id: 5, ...comment }, { id: 6, ...comment }, { id: 5, ...comment, text: "ho" }, { id: 7 }],
  });
  expect(issue.comments.map(({ id, text: said }) => [id, said])).toEqual([
    ["pr-a1b/5", "hi"],
    ["pr-a1b/5~2", "ho"],
  ]);
  expect(codes).toEqual(["comment_duplicate", "comment_invalid"]);
});

test("labels keep their bytes and count once after trimming", () => {
  expect(readIssue({ labels: [" ui", "ui", "", "db "] }).issue.labels).toEqual([" ui", "db "]);
});
