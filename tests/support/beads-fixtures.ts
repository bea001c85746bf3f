/** Synthetic rows of the shapes that real files have; no person or project in them exists. */
export function issueRow(id: string, over: Record<string, unknown> = {}): string {
  return JSON.stringify({
    id,
    title: `Issue ${id}`,
    status: "open",
    priority: 2,
    issue_type: "task",
    created_at: "2026-01-01T10:00:00Z",
    updated_at: "2026-01-02T10:00:00Z",
    ...over,
  });
}

export const oldShape = [
  `{"id":"old-1","content_hash":"ab12","title":"Offsets and \\u003cescapes\\u003e","description":"d","status":"in_progress","priority":0,"issue_type":"bug","created_at":"2025-10-16T20:46:37.123456+02:00","updated_at":"2025-10-17T09:00:00.5+02:00","labels":["b","a"],"external_ref":"gh-1"}`,
  `{"id":"old-1.1","title":"A child","status":"open","priority":1,"issue_type":"task","created_at":"2025-10-16T20:46:38Z","updated_at":"2025-10-16T20:46:38Z","dependencies":[{"issue_id":"old-1.1","depends_on_id":"old-1","type":"parent-child","created_at":"2025-10-16T20:46:38Z","created_by":"import"}]}`,
  `{"id":"old-2","title":"Waits","status":"open","priority":2,"issue_type":"task","created_at":"2025-10-16T20:46:39Z","updated_at":"2025-10-16T20:46:39Z","dependencies":[{"issue_id":"old-2","depends_on_id":"old-1","type":"blocks","created_at":"2025-10-16T20:46:39Z","created_by":"x"}]}`,
];

export const newShape = [
  `{"_type":"issue","id":"new-a","title":"One","status":"open","priority":1,"issue_type":"feature","created_at":"2026-05-01T00:00:00Z","updated_at":"2026-05-01T00:00:00Z","started_at":"2026-05-01T00:00:01Z","x_unknown":{"n":1.0,"e":1e3},"dependency_count":0,"dependent_count":1,"comment_count":1,"comments":[{"id":"0191e7f4-0000-7000-8000-000000000001","issue_id":"new-a","author":"pat","text":"hello","created_at":"2026-05-01T00:01:00Z","x_extra":true}]}`,
  `{"_type":"issue","id":"new-b","title":"Two","status":"deferred","priority":4,"issue_type":"chore","created_at":"2026-05-02T00:00:00Z","updated_at":"2026-05-02T00:00:00Z","dependencies":[{"issue_id":"new-b","depends_on_id":"new-a","type":"blocks","created_at":"2026-05-02T00:00:00Z","created_by":"p","metadata":"{}","x_dep":1}],"dependency_count":1,"dependent_count":0,"comment_count":0}`,
  `{"_type":"memory","key":"style","value":"tabs"}`,
];

export const damaged = [
  issueRow("ok-1"),
  "<<<<<<< HEAD",
  issueRow("both-1", { title: "our side", updated_at: "2026-02-01T00:00:00Z" }),
  "=======",
  issueRow("both-1", { title: "their side", updated_at: "2026-02-02T00:00:00Z" }),
  ">>>>>>> other",
  `{"id":"torn-1","title":"cut of`,
  issueRow("twice-1", { title: "older" }),
  issueRow("twice-1", { title: "newer", updated_at: "2026-03-01T00:00:00Z" }),
  issueRow("dangling-1", { dependencies: [{ depends_on_id: "nowhere-9", type: "blocks" }] }),
  issueRow("ring-1", { dependencies: [{ depends_on_id: "ring-2", type: "blocks" }] }),
  issueRow("ring-2", { dependencies: [{ depends_on_id: "ring-1", type: "blocks" }] }),
  issueRow("gone-1", { status: "tombstone", deleted_at: "2026-02-01T00:00:00Z" }),
  issueRow("odd-1", { status: "triage" }),
  issueRow("shut-1", { status: "closed" }),
  "[1,2,3]",
  "",
];
