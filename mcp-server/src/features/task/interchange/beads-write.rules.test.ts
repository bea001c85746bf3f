import { expect, test } from "vitest";
import type { BeadsIssue, BeadsStatus, JsonObject, JsonValue } from "./beads-issue.schema.ts";
import { issuesOf, readBeads } from "./beads-read.rules.ts";
import { renderRow } from "./beads-row.rules.ts";
import { renderBeads, renderMemory } from "./beads-write.rules.ts";

const CREATED = Date.UTC(2026, 0, 2, 3, 4, 5);

function imported(raw: string): BeadsIssue {
  const [issue] = issuesOf(readBeads(raw));
  if (issue === undefined) throw new Error("not read as an issue");
  return issue;
}

function fresh(over: Partial<BeadsIssue> = {}): BeadsIssue {
  return {
    id: "tw-1",
    title: "Fix the pump",
    status: { state: "open" },
    priority: 0,
    kind: "task",
    createdAt: CREATED,
    updatedAt: CREATED + 900,
    own: {},
    labels: [],
    dependencies: [],
    comments: [],
    pinned: false,
    ephemeral: false,
    noHistory: false,
    template: false,
    ...over,
  };
}

function json(line: string): JsonObject {
  return JSON.parse(line) as JsonObject;
}

const ODD_ROW =
  '{"_type":"issue", "id":"pr-1","x_new":1.0,"title":"a\\u003cb \\u00fc","status":"open","priority":1,"issue_type":"feat","created_at":"2026-01-02T03:04:05.123456789+01:00","updated_at":"2026-01-02T03:04:05.7Z","metadata":{"z":1e3,"teamwright":{"team":"core","future":[1.50]},"a":"\\u0041"},"labels":[" ui","db"],"dependencies":[{"issue_id":"pr-1","depends_on_id":"pr-0","type":"blocks","created_at":"2026-01-02T03:04:05Z","created_by":"kim","metadata":"{}","weight":2.0},{"issue_id":"pr-1","depends_on_id":"pr-0","type":"related"}],"comments":[{"id":7,"issue_id":"pr-1","author":"kim","text":"hi","created_at":"2026-01-02T03:04:05Z","mood":1E2}],"dependency_count":1,"content_hash":"ff"}';

test("an unchanged row is its own text, whatever it holds", () => {
  for (const mode of ["faithful", "bd"] as const)
    expect(
      renderRow(
        imported(
          ODD_ROW.replace(',{"issue_id":"pr-1","depends_on_id":"pr-0","type":"related"}', "").replace("feat", "bug"),
        ),
        { mode },
      ),
    ).toBe(ODD_ROW.replace(',{"issue_id":"pr-1","depends_on_id":"pr-0","type":"related"}', "").replace("feat", "bug"));
  expect(renderRow(imported(ODD_ROW))).toBe(ODD_ROW);
});

test("a changed member changes alone, and updated_at moves past what bd would round to", () => {
  expect(renderRow({ ...imported(ODD_ROW), priority: 3 })).toBe(
    ODD_ROW.replace('"priority":1', '"priority":3').replace("2026-01-02T03:04:05.7Z", "2026-01-02T03:04:07Z"),
  );
});

test("unknown members of metadata, edges and comments survive changes beside them", () => {
  const issue = imported(ODD_ROW);
  const [edge] = issue.dependencies;
  const [comment] = issue.comments;
  if (edge === undefined || comment === undefined) throw new Error("fixture");
  const line = renderRow({
    ...issue,
    updatedAt: Date.UTC(2026, 5, 1),
    own: { team: "web", points: 5 },
    labels: ["db", "new"],
    dependencies: [
      { ...edge, type: "related" },
      { target: "pr-9", type: "blocks" },
    ],
    comments: [
      { ...comment, text: "<ho>" },
      { id: "6f1c2f0e-9d5b-4c59-8a39-0c6b1d8f3a11", author: "lee", text: "new", createdAt: CREATED },
    ],
  });
  expect(line).toContain('"metadata":{"z":1e3,"teamwright":{"team":"web","future":[1.50],"points":5},"a":"\\u0041"}');
  expect(line).toContain('"labels":["db","new"]');
  expect(line).toContain(
    '"type":"related","created_at":"2026-01-02T03:04:05Z","created_by":"kim","metadata":"{}","weight":2.0}',
  );
  expect(line).toContain('{"issue_id":"pr-1","depends_on_id":"pr-9","type":"blocks","metadata":"{}"}');
  expect(line).toContain(
    '{"id":7,"issue_id":"pr-1","author":"kim","text":"\\u003cho\\u003e","created_at":"2026-01-02T03:04:05Z","mood":1E2}',
  );
  expect(line).toContain('"updated_at":"2026-06-01T00:00:00Z"');
  expect(line).toContain('"x_new":1.0');
});

test("removing everything removes the members, not their neighbours", () => {
  const line = renderRow({ ...withMetadata(undefined), labels: [], dependencies: [], comments: [], own: {} });
  const record = json(line);
  expect(record.labels).toBeUndefined();
  expect(record.comments).toBeUndefined();
  expect(record.dependencies).toBeUndefined();
  expect(record.metadata).toEqual({ teamwright: { future: [1.5] } });
  expect(record.content_hash).toBe("ff");
});

function withMetadata(metadata: JsonValue | undefined): BeadsIssue {
  const { metadata: _, ...issue } = imported(ODD_ROW);
  return metadata === undefined ? issue : { ...issue, metadata };
}

test("text written without escapes stays so", () => {
  const raw =
    '{"id":"br-1","title":"a & b","priority":2,"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}';
  expect(renderRow({ ...imported(raw), description: "<x>" })).toContain('"description":"<x>"');
});

test("a new row is what bd accepts", () => {
  const line = renderRow(
    fresh({
      description: "a<b",
      status: { state: "in_review" },
      own: { team: "core" },
      dependencies: [{ target: "tw-0", type: "blocks", createdAt: CREATED + 1 }],
      comments: [{ id: "c1", author: "kim", text: "hi", createdAt: CREATED + 999 }],
    }),
  );
  expect(line).toMatchInlineSnapshot(
    `"{"_type":"issue","id":"tw-1","title":"Fix the pump","description":"a\\u003cb","status":"in_progress","priority":0,"issue_type":"task","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z","metadata":{"teamwright":{"state":"in_review","team":"core"}},"dependencies":[{"issue_id":"tw-1","depends_on_id":"tw-0","type":"blocks","created_at":"2026-01-02T03:04:05Z","metadata":"{}"}],"comments":[{"id":"57243b5e-09b7-872e-a0a3-52545da24bc7","issue_id":"tw-1","author":"kim","text":"hi","created_at":"2026-01-02T03:04:05Z"}]}"`,
  );
});

test.each<[BeadsStatus, string]>([
  [{ state: "open" }, "open"],
  [{ state: "in_progress" }, "in_progress"],
  [{ state: "in_review" }, "in_progress"],
  [{ state: "deferred" }, "deferred"],
  [{ state: "closed", outcome: "failed" }, "closed"],
  [{ state: "in_review", blockedFlag: true }, "blocked"],
  [{ state: "in_progress", foreignStatus: "hooked" }, "hooked"],
  [{ state: "open", foreignStatus: "hooked" }, "open"],
  [{ state: "deferred", foreignStatus: "triage" }, "deferred"],
])("status %o is written as %s", (status, word) => {
  expect(json(renderRow(fresh({ status }))).status).toBe(word);
});

test("a title beyond bd's limit is cut between characters and comes back whole", () => {
  const title = `${"x".repeat(499)}${"ü".repeat(9)}`;
  const line = renderRow(fresh({ title }));
  expect(json(line).title).toBe("x".repeat(499));
  expect(imported(line).title).toBe(title);
});

test("closed_at is written exactly for closed issues", () => {
  const raw =
    '{"id":"pr-1","title":"t","status":"open","priority":2,"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z","closed_at":"2026-01-02T03:04:05Z"}';
  const issue = imported(raw);
  expect(renderRow(issue)).toBe(raw);
  expect(json(renderRow({ ...issue, notes: "touched" })).closed_at).toBeUndefined();
  expect(json(renderRow(issue, { mode: "bd" })).closed_at).toBeUndefined();
  const closed = json(renderRow({ ...issue, status: { state: "closed", outcome: "done" }, closedAt: CREATED + 5000 }));
  expect([closed.status, closed.closed_at]).toEqual(["closed", "2026-01-02T03:04:10Z"]);
});

test("bd mode mends what bd refuses and keeps the rest of the row", () => {
  const raw =
    '{"id":"pr-1","n":1.0,"title":"t","status":"triage","issue_type":"feat","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z","estimated_minutes":-5,"dependencies":[{"depends_on_id":"pr-1"},{"depends_on_id":"pr-2","type":"blocks"},{"depends_on_id":"pr-2","type":"related"}]}';
  const issue = imported(raw);
  expect(renderRow(issue)).toBe(raw);
  const line = renderRow(issue, { mode: "bd" });
  expect(json(line)).toEqual({
    id: "pr-1",
    n: 1,
    title: "t",
    status: "deferred",
    priority: 2,
    issue_type: "feature",
    created_at: "2026-01-02T03:04:05Z",
    updated_at: "2026-01-02T03:04:05Z",
    metadata: { teamwright: { status: "triage" } },
    dependencies: [{ depends_on_id: "pr-2", type: "blocks" }],
  });
  expect(line).toContain('"n":1.0');
  expect(imported(line).status).toEqual(issue.status);
  expect(renderRow(imported(line), { mode: "bd" })).toBe(line);
});

test("a table dump row becomes an export row in bd mode", () => {
  const raw =
    '{"id":"pr-1","title":"t","status":"open","priority":2,"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z","timeout_ns":0,"waiters":"","ephemeral":0}';
  expect(renderRow(imported(raw))).toBe(raw);
  expect(json(renderRow(imported(raw), { mode: "bd" })).waiters).toBeUndefined();
});

test("an edge of an early relation field moves into the list once one of them goes", () => {
  const raw =
    '{"id":"pr-1","title":"t","priority":2,"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z","relates_to":["pr-2","pr-3"]}';
  const issue = imported(raw);
  expect(renderRow(issue)).toBe(raw);
  const record = json(renderRow({ ...issue, dependencies: issue.dependencies.slice(1) }));
  expect(record.relates_to).toBeUndefined();
  expect(record.dependencies).toEqual([
    { issue_id: "pr-1", depends_on_id: "pr-3", type: "relates-to", metadata: "{}" },
  ]);
  const added = json(
    renderRow({ ...issue, dependencies: [...issue.dependencies, { target: "pr-4", type: "blocks" }] }),
  );
  expect(added.relates_to).toEqual(["pr-2", "pr-3"]);
  expect(added.dependencies).toHaveLength(1);
});

test("a second change within one second is exported with a later updated_at, none with the same line", () => {
  const first = renderRow(fresh());
  expect(renderRow(fresh(), { lastLine: first })).toBe(first);
  const second = renderRow(fresh({ notes: "more" }), { lastLine: first });
  expect(json(second).updated_at).toBe("2026-01-02T03:04:06Z");
  expect(renderRow(fresh({ notes: "more" }), { lastLine: second })).toBe(second);
});

test("files: blockers first or by id, edges to nowhere left out of new rows, cycles reported", () => {
  const issues = [
    fresh({
      id: "a",
      dependencies: [
        { target: "c", type: "blocks" },
        { target: "gone", type: "blocks" },
      ],
    }),
    fresh({ id: "b", kind: "convoy", dependencies: [{ target: "a", type: "parent-child" }] }),
    fresh({ id: "c", kind: "epic", ephemeral: true, dependencies: [{ target: "b", type: "blocks" }] }),
  ];
  const ids = (options: Parameters<typeof renderBeads>[1]) =>
    renderBeads({ issues }, options).lines.map((line) => json(line).id);
  expect(ids({})).toEqual(["b", "c", "a"]);
  expect(ids({ sort: "id" })).toEqual(["a", "b", "c"]);
  expect(ids({ mode: "bd" })).toEqual(["a", "b"]);
  const result = renderBeads({ issues });
  expect(result).toMatchObject({
    danglingEdges: [{ id: "a", target: "gone", type: "blocks" }],
    cycleEdges: [{ id: "b", target: "a", type: "parent-child" }],
    customTypes: ["convoy"],
    epicEdges: [
      { id: "a", target: "c", type: "blocks" },
      { id: "c", target: "b", type: "blocks" },
    ],
  });
  expect(result.lines.join("\n")).not.toContain("gone");
});

test("memories come after the issues by key and keep their text", () => {
  const raw = '{"_type":"memory","key":"k2","value":"a\\u003eb","extra":1.0}';
  const lines = renderBeads({
    issues: [fresh()],
    memories: [
      { key: "k2", value: "a>b", raw },
      { key: "k1", value: "x" },
    ],
  }).lines;
  expect(lines.slice(1)).toEqual(['{"_type":"memory","key":"k1","value":"x"}', raw]);
  expect(renderMemory({ key: "k2", value: "c", raw })).toBe('{"_type":"memory","key":"k2","value":"c","extra":1.0}');
});
