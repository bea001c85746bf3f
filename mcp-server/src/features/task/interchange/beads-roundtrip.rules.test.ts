import fc from "fast-check";
import { expect, test } from "vitest";
import { differingFields } from "./beads-decide.rules.ts";
import type { BeadsDependency, BeadsIssue, BeadsStatus, JsonObject, JsonValue } from "./beads-issue.schema.ts";
import { issuesOf, readBeads } from "./beads-read.rules.ts";
import { type RenderRowOptions, renderRow } from "./beads-row.rules.ts";

function imported(raw: string): BeadsIssue {
  const [issue] = issuesOf(readBeads(raw));
  if (issue === undefined) throw new Error("not read as an issue");
  return issue;
}

function withoutRaw(issue: BeadsIssue): BeadsIssue {
  const { raw: _, ...rest } = issue;
  return rest;
}

function json(line: string): JsonObject {
  return JSON.parse(line) as JsonObject;
}

const name = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }).filter((value) => value.trim() !== "");
const second = fc.integer({ min: 1, max: 4_000_000_000 }).map((value) => value * 1000);
const metadataObject = fc
  .dictionary(fc.constantFrom("a", "b", "<c>", "__proto__", "constructor"), fc.jsonValue({ maxDepth: 2 }), {
    minKeys: 1,
  })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);
const status: fc.Arbitrary<BeadsStatus> = fc.oneof(
  fc.constantFrom<BeadsStatus>(
    { state: "open" },
    { state: "in_progress" },
    { state: "in_review" },
    { state: "deferred" },
  ),
  fc.constantFrom<BeadsStatus>(
    { state: "open", blockedFlag: true },
    { state: "in_progress", blockedFlag: true },
    { state: "in_review", blockedFlag: true },
  ),
  fc
    .constantFrom("done", "failed", "cancelled", "duplicate", "superseded")
    .map((outcome): BeadsStatus => ({ state: "closed", outcome })),
  fc.constantFrom<BeadsStatus>(
    { state: "in_progress", foreignStatus: "hooked" },
    { state: "deferred", foreignStatus: "pinned" },
    { state: "deferred", foreignStatus: "triage" },
  ),
);
const dependency: fc.Arbitrary<BeadsDependency> = fc.record(
  {
    target: fc.constantFrom("pr-1", "pr-2", "pr-3", "x.1.2"),
    type: fc.constantFrom("blocks", "parent-child", "waits-for", "related", "blocked-by"),
    createdAt: second,
    createdBy: name,
    metadata: metadataObject,
    threadId: name,
  },
  { requiredKeys: ["target", "type"] },
);
const anyIssue: fc.Arbitrary<BeadsIssue> = fc
  .record(
    {
      id: fc.stringMatching(/^[a-zA-Zä-ü0-9._:-]{1,30}$/),
      title: fc.oneof(
        name,
        fc.integer({ min: 480, max: 520 }).map((length) => `${"x".repeat(length)}ü€.`),
      ),
      description: name,
      design: name,
      acceptance: name,
      notes: name,
      specId: name,
      status,
      priority: fc.integer({ min: 0, max: 4 }),
      kind: fc.constantFrom("task", "bug", "epic", "convoy"),
      assignee: name,
      owner: name,
      estimateMinutes: fc.nat(),
      createdAt: second,
      createdBy: name,
      updatedAt: second,
      startedAt: second,
      closedAt: second,
      closeReason: name,
      closedBySession: name,
      dueAt: second,
      deferUntil: second,
      externalRef: name,
      metadata: fc.oneof(metadataObject, fc.constant<JsonValue>([1, "x"]), fc.constant<JsonValue>(7)),
      own: fc.record(
        { team: name, points: fc.nat(), scope: fc.array(name, { minLength: 1 }), blockedReason: name },
        { requiredKeys: [] },
      ),
      labels: fc.uniqueArray(name, { selector: (label) => label.trim(), maxLength: 3 }),
      dependencies: fc.uniqueArray(dependency, { selector: ({ target }) => target, maxLength: 3 }),
      comments: fc.uniqueArray(fc.record({ id: fc.uuid(), author: name, text: name, createdAt: second }), {
        selector: ({ text }) => text,
        maxLength: 3,
      }),
      pinned: fc.boolean(),
      ephemeral: fc.boolean(),
      noHistory: fc.boolean(),
      template: fc.boolean(),
    },
    {
      requiredKeys: [
        "id",
        "title",
        "status",
        "priority",
        "kind",
        "createdAt",
        "updatedAt",
        "closedAt",
        "own",
        "labels",
        "dependencies",
        "comments",
        "pinned",
        "ephemeral",
        "noHistory",
        "template",
      ],
    },
  )
  .map(({ closedAt, ...issue }) => (issue.status.state === "closed" ? { ...issue, closedAt } : issue));

test("reading a rendered issue gives the issue", () => {
  fc.assert(
    fc.property(anyIssue, (issue) => {
      expect(withoutRaw(imported(renderRow(issue)))).toEqual(issue);
    }),
    { numRuns: 100 },
  );
});

test("export, import, export gives the same bytes, changed rows included", () => {
  fc.assert(
    fc.property(anyIssue, anyIssue, fc.constantFrom("faithful", "bd"), (before, after, mode) => {
      const options: RenderRowOptions = { mode: mode === "bd" ? "bd" : "faithful" };
      const base = imported(renderRow(before));
      const changed: BeadsIssue = {
        ...after,
        id: base.id,
        ...(base.raw === undefined ? {} : { raw: base.raw }),
        createdAt: base.createdAt,
      };
      const line = renderRow(changed, options);
      const back = imported(line);
      expect(differingFields(back, changed)).toEqual([]);
      expect(back.status).toEqual(changed.status);
      expect(renderRow(back, options)).toBe(line);
    }),
    { numRuns: 100 },
  );
});

test("bd mode mends any row it can read, once and for all", () => {
  const row = fc.dictionary(
    fc.constantFrom(
      "title",
      "status",
      "priority",
      "created_at",
      "closed_at",
      "labels",
      "comments",
      "dependencies",
      "metadata",
      "wisp",
      "relates_to",
      "estimated_minutes",
    ),
    fc.jsonValue({ maxDepth: 3 }),
  );
  fc.assert(
    fc.property(row, (record) => {
      const issue = imported(JSON.stringify({ id: "pr-1", ...record }));
      expect(renderRow(issue)).toBe(issue.raw);
      const line = renderRow(issue, { mode: "bd" });
      expect(renderRow(imported(line), { mode: "bd" })).toBe(line);
      const written = json(line);
      expect(written.priority).toBeTypeOf("number");
      expect(written.status === "closed").toBe(written.closed_at != null);
    }),
    { numRuns: 100 },
  );
});
