import type { Task } from "../task.schema.ts";
import type { BeadsComment, BeadsDependency, BeadsIssue, JsonValue } from "./beads-issue.schema.ts";
import { readRow } from "./beads-read.rules.ts";

export interface TaskEdge {
  readonly targetKey: string;
  readonly type: string;
  readonly metadata: string | null;
  readonly createdAt: number;
  readonly createdBy: string;
}

export interface TaskComment {
  readonly key: string;
  readonly author: string;
  readonly body: string;
  readonly createdAt: number;
}

/** A task with all that an export says about it. */
export interface WholeTask {
  readonly task: Task;
  readonly labels: readonly string[];
  readonly edges: readonly TaskEdge[];
  readonly comments: readonly TaskComment[];
}

/** Columns of a task that an import sets. */
export type ImportedFields = Pick<
  Task,
  | "title"
  | "description"
  | "design"
  | "acceptance"
  | "notes"
  | "kind"
  | "status"
  | "outcome"
  | "foreignStatus"
  | "priority"
  | "points"
  | "estimateMinutes"
  | "assignee"
  | "scope"
  | "externalRef"
  | "dueAt"
  | "deferUntil"
  | "blockedReason"
  | "blockedSince"
  | "blockedBy"
  | "pinned"
  | "ephemeral"
  | "template"
  | "createdAt"
  | "createdBy"
  | "updatedAt"
  | "startedAt"
  | "closedAt"
  | "closeReason"
  | "foreignRaw"
>;

/** PostgreSQL's text holds no NUL; a visible mark takes its place. */
function clean(text: string): string {
  return text.replaceAll("\u0000", "\ufffd").toWellFormed();
}

function orNull(text: string | undefined): string | null {
  return text === undefined ? null : clean(text);
}

/** What a bd issue means for our task. An open issue put off until later is deferred here, so that it wakes up. */
export function fieldsFromIssue(issue: BeadsIssue, now: number): ImportedFields {
  const { status } = issue;
  const later = issue.deferUntil !== undefined && issue.deferUntil > now;
  const isDeferred = status.state === "deferred" || (status.state === "open" && later);
  return {
    title: clean(issue.title),
    description: orNull(issue.description),
    design: orNull(issue.design),
    acceptance: orNull(issue.acceptance),
    notes: orNull(issue.notes),
    kind: clean(issue.kind),
    status: isDeferred ? "deferred" : status.state,
    outcome: status.state === "closed" ? (status.outcome ?? "done") : null,
    foreignStatus: orNull(status.foreignStatus),
    priority: issue.priority,
    points: issue.own.points ?? null,
    estimateMinutes: issue.estimateMinutes ?? null,
    assignee: orNull(issue.assignee),
    scope: issue.own.scope ?? [],
    externalRef: orNull(issue.externalRef),
    dueAt: issue.dueAt ?? null,
    deferUntil: isDeferred ? (issue.deferUntil ?? null) : null, // one that has passed wakes at the next sweep
    blockedReason: status.blockedFlag ? orNull(issue.own.blockedReason ?? "blocked when it was imported") : null,
    blockedSince: status.blockedFlag ? issue.updatedAt : null,
    blockedBy: status.blockedFlag ? "import" : null,
    pinned: issue.pinned,
    ephemeral: issue.ephemeral,
    template: issue.template,
    createdAt: issue.createdAt,
    createdBy: clean(issue.createdBy ?? "import"),
    updatedAt: issue.updatedAt,
    startedAt: issue.startedAt ?? null,
    closedAt: status.state === "closed" ? (issue.closedAt ?? issue.updatedAt) : null,
    closeReason: orNull(issue.closeReason),
    foreignRaw: issue.raw ?? null,
  };
}

/** The issue an imported row says, or undefined. */
export function issueFromRaw(raw: string | null): BeadsIssue | undefined {
  if (raw === null) return undefined;
  const row = readRow(raw, 0);
  return row.kind === "issue" ? row.issue : undefined;
}

const ownFields = [
  "title",
  "description",
  "design",
  "acceptance",
  "notes",
  "kind",
  "priority",
  "assignee",
  "estimateMinutes",
  "externalRef",
  "dueAt",
  "pinned",
  "ephemeral",
  "template",
  "createdAt",
  "updatedAt",
  "startedAt",
  "closeReason",
] as const;

/**
 * The task in bd's words. What the imported row said stays as it was wherever the task has not changed since: a team of
 * another project too, as long as the task is where such rows go. `teams` are those of this project; all when absent.
 */
export function issueFromTask(whole: WholeTask, defaultTeam: string, teams?: readonly string[]): BeadsIssue {
  const { task } = whole;
  const was = issueFromRaw(task.foreignRaw);
  // what the import made of the row then: comparing with it tells a later change from a mere difference of wording
  const then = was ? fieldsFromIssue(was, task.deferUntil === null ? Number.POSITIVE_INFINITY : 0) : undefined;
  const issue: Record<string, unknown> = was ? { ...was } : freshIssue(task);
  for (const name of ownFields) {
    if (then && same(then[name], task[name])) continue;
    if (task[name] === null || task[name] === undefined) delete issue[name];
    else issue[name] = task[name];
  }
  if (!then || !sameState(then, task)) writeState(issue, task);
  issue.own = ownOf(task, was, was ? (knownTeam(was, teams) ?? defaultTeam) : undefined);
  issue.labels = mergeLabels(whole.labels, was?.labels ?? []);
  issue.dependencies = whole.edges.map((edge) => edgeOf(edge, was?.dependencies ?? []));
  issue.comments = whole.comments.map((comment) => commentOf(comment, was?.comments ?? []));
  if (was && task.foreignRaw !== null) issue.raw = task.foreignRaw;
  return issue as unknown as BeadsIssue; // every member comes from a BeadsIssue or is set above
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
}

function sameState(then: ImportedFields, task: Task): boolean {
  return (
    then.status === task.status &&
    then.outcome === task.outcome &&
    then.foreignStatus === task.foreignStatus &&
    (then.blockedSince === null) === (task.blockedSince === null) &&
    (task.deferUntil === null || then.deferUntil === task.deferUntil) &&
    then.closedAt === task.closedAt
  );
}

function freshIssue(task: Task): Record<string, unknown> {
  return {
    id: task.key,
    createdBy: task.createdBy,
    own: {},
    labels: [],
    dependencies: [],
    comments: [],
    noHistory: false,
  };
}

function writeState(issue: Record<string, unknown>, task: Task): void {
  issue.status = {
    state: task.status,
    ...(task.outcome === null ? {} : { outcome: task.outcome }),
    ...(task.foreignStatus === null ? {} : { foreignStatus: task.foreignStatus }),
    ...(task.blockedSince === null ? {} : { blockedFlag: true }),
  };
  for (const [name, value] of [
    ["closedAt", task.closedAt],
    ["deferUntil", task.deferUntil],
  ] as const) {
    if (value === null) delete issue[name];
    else issue[name] = value;
  }
}

/** The team an issue names, if there is one of that name. */
export function knownTeam(issue: BeadsIssue, teams?: readonly string[]): string | undefined {
  const { team } = issue.own;
  return team === undefined || (teams && !teams.includes(team)) ? undefined : team;
}

function ownOf(task: Task, was: BeadsIssue | undefined, team: string | undefined) {
  return {
    ...was?.own,
    ...(task.team === team ? {} : { team: task.team }),
    ...(task.points === null ? {} : { points: task.points }),
    ...(task.scope.length === 0 ? {} : { scope: [...task.scope] }),
    ...(task.blockedReason === null || was?.status.blockedFlag ? {} : { blockedReason: task.blockedReason }),
  };
}

/** Labels as the row had them, in its order, then the new ones. */
function mergeLabels(now: readonly string[], then: readonly string[]): string[] {
  const current = new Set(now);
  const kept = then.filter((label) => current.delete(clean(label)));
  return [...kept, ...current];
}

function edgeOf(edge: TaskEdge, then: readonly BeadsDependency[]): BeadsDependency {
  const known = then.find((candidate) => candidate.target === edge.targetKey && candidate.type === edge.type);
  if (known) return known;
  const metadata = edge.metadata === null ? undefined : parse(edge.metadata);
  return {
    target: edge.targetKey,
    type: edge.type,
    createdAt: edge.createdAt,
    createdBy: edge.createdBy,
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function commentOf(comment: TaskComment, then: readonly BeadsComment[]): BeadsComment {
  const known = then.find(
    (candidate) =>
      clean(candidate.text) === comment.body &&
      candidate.createdAt === comment.createdAt &&
      clean(candidate.author ?? "") === comment.author,
  );
  return known ?? { id: comment.key, author: comment.author, text: comment.body, createdAt: comment.createdAt };
}

/** Edges and comments of a row in the form the store takes. */
export function edgesFromIssue(issue: BeadsIssue): TaskEdge[] {
  return issue.dependencies
    .filter((edge) => edge.target !== issue.id)
    .map((edge) => ({
      targetKey: clean(edge.target).slice(0, 255),
      type: clean(edge.type).slice(0, 50),
      metadata: edge.metadata === undefined ? null : clean(JSON.stringify(edge.metadata)),
      createdAt: edge.createdAt ?? issue.createdAt,
      createdBy: clean(edge.createdBy ?? "import"),
    }));
}

export function commentsFromIssue(issue: BeadsIssue): Omit<TaskComment, "key">[] {
  return issue.comments.map((comment) => ({
    author: clean(comment.author ?? ""),
    body: clean(comment.text),
    createdAt: comment.createdAt,
  }));
}

export function labelsFromIssue(issue: BeadsIssue): string[] {
  return [...new Set(issue.labels.map(clean))];
}
