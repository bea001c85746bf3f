import { createHash } from "node:crypto";
import type { OperationContext } from "../../../kernel/operation.ts";
import { bringDependencies } from "../../dependency/dependency.store.ts";
import { addEdge, adoptDanglingEdges, removeEdge, saveTaskInGraph } from "../graph.store.ts";
import { unblocked } from "../task.rules.ts";
import type { Task } from "../task.schema.ts";
import { insertTask, lockTaskById, rowToTask } from "../task.store.ts";
import { changeLabels, insertComment } from "../task-parts.store.ts";
import {
  contentText,
  decideImport,
  type ExistingRow,
  type ImportDecision,
  type ImportOptions,
} from "./beads-decide.rules.ts";
import { loadWhole } from "./beads-export.store.ts";
import type { BeadsIssue, ParsedRow } from "./beads-issue.schema.ts";
import {
  commentsFromIssue,
  edgesFromIssue,
  fieldsFromIssue,
  issueFromRaw,
  issueFromTask,
  knownTeam,
  labelsFromIssue,
} from "./beads-task.rules.ts";

export interface RowVerdict {
  line: number;
  id?: string;
  verdict: ImportDecision["verdict"];
  reason: string;
  fields?: string[];
  warnings?: string[];
}

export interface ImportSetting extends ImportOptions {
  readonly team: string;
  readonly dryRun: boolean;
  /** The work unit a task is on its way in, which alone may close it. */
  readonly openUnit: (ctx: OperationContext, taskId: number) => Promise<string | undefined>;
  /** What a dry run would have kept of rows that are no tasks, by kind and key: the next row is judged by it. */
  readonly wouldKeep: Map<string, string>;
}

/** Decides one row against the store as it is now and, unless it is a dry run, applies the decision. */
export async function importRow(ctx: OperationContext, row: ParsedRow, setting: ImportSetting): Promise<RowVerdict> {
  const id =
    row.kind === "issue"
      ? row.issue.id
      : row.kind === "tombstone"
        ? row.tombstone.id
        : row.kind === "duplicate"
          ? row.id
          : row.kind === "memory"
            ? row.key
            : undefined;
  const warnings = row.warnings.map((warning) => warning.message);
  const base = { line: row.line, ...(id === undefined ? {} : { id }), ...(warnings.length > 0 ? { warnings } : {}) };
  if (row.kind === "memory") return { ...base, ...(await keepForeign(ctx, "memory", row.key, row.raw, setting)) };
  if (row.kind === "unknown") {
    await keepForeign(ctx, "unknown", digest(row.raw), row.raw, setting);
    return { ...base, verdict: "quarantined", reason: `unknown row type ${row.type.slice(0, 40)}; kept as it is` };
  }
  if (row.kind === "bad") return { ...base, verdict: "quarantined", reason: row.message };
  if (row.kind === "marker") return { ...base, verdict: "kept", reason: "conflict marker; both sides were read" };
  if (row.kind === "header") return { ...base, verdict: "kept", reason: "header" };
  if (row.kind === "duplicate")
    return { ...base, verdict: "kept", reason: `the id stands again at line ${row.winnerLine}, which is newer` };
  const existing = await findExisting(ctx, id ?? "", setting.team, row);
  const contentDigest = row.kind === "issue" ? digest(contentText(row.issue)) : "";
  const decision = decideImport(existing?.row, { row, contentDigest }, setting);
  const verdict: RowVerdict = {
    ...base,
    verdict: decision.verdict,
    reason: decision.reason,
    ...(decision.fields.length > 0 ? { fields: decision.fields } : {}),
  };
  if (decision.verdict !== "created" && decision.verdict !== "updated") return verdict;
  if (isClaimed(existing?.task, ctx.now))
    return { ...verdict, verdict: "conflict", reason: "an agent holds it; imported when the claim is over" };
  const closes = row.kind === "tombstone" || row.issue.status.state === "closed";
  const unit = closes && existing?.task ? await setting.openUnit(ctx, existing.task.id) : undefined;
  if (unit !== undefined)
    return { ...verdict, verdict: "conflict", reason: `it closes with the commit of unit ${unit}` };
  if (setting.dryRun) return verdict;
  if (row.kind === "tombstone") await bury(ctx, row.tombstone.id, row.raw, existing?.task);
  else if (existing?.task) await updateTask(ctx, existing.task, row.issue);
  else await createTask(ctx, row.issue, setting.team);
  return verdict;
}

/** An import never takes a live claim from its holder (beads acceptance case 26). */
function isClaimed(task: Task | undefined, now: number): boolean {
  return task?.holder != null && (task.leaseExpiresAt === null || task.leaseExpiresAt > now);
}

async function findExisting(
  ctx: OperationContext,
  key: string,
  team: string,
  incoming: ParsedRow,
): Promise<{ row: ExistingRow; task?: Task } | undefined> {
  const found = await ctx.db.selectFrom("task").selectAll().where("key", "=", key).executeTakeFirst();
  if (!found) {
    const buried = await ctx.db
      .selectFrom("foreign_row")
      .selectAll()
      .where("kind", "=", "tombstone")
      .where("key", "=", key)
      .executeTakeFirst();
    return buried ? { row: { updatedAt: buried.at, contentDigest: "", isDeleted: true } } : undefined;
  }
  const task = rowToTask(found);
  const [whole] = await loadWhole(ctx.db, [task]);
  if (!whole) return undefined;
  const issue = issueFromTask(whole, team);
  // a row that names no team of ours says nothing about the team
  if (incoming.kind === "issue" && knownTeam(incoming.issue, teamIds(ctx)) === undefined) {
    const { team: _, ...own } = issue.own;
    const said = incoming.issue.own.team;
    issue.own = said === undefined ? own : { ...own, team: said };
  }
  const raw = issueFromRaw(task.foreignRaw);
  const untouched = raw !== undefined && raw.updatedAt === task.updatedAt;
  return {
    task,
    row: {
      updatedAt: task.updatedAt,
      contentDigest: digest(contentText(issue)),
      issue,
      ...(untouched && task.foreignRaw !== null ? { updatedAtText: textOfUpdate(task.foreignRaw) } : {}),
    },
  };
}

function textOfUpdate(raw: string): string {
  return /"updated_at"\s*:\s*"([^"]*)"/.exec(raw)?.[1] ?? "";
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function teamIds(ctx: OperationContext): string[] {
  return ctx.config.teams.map((team) => team.id);
}

async function createTask(ctx: OperationContext, issue: BeadsIssue, defaultTeam: string): Promise<void> {
  const team = knownTeam(issue, teamIds(ctx)) ?? defaultTeam;
  const fields = fieldsFromIssue(issue, ctx.now);
  const task = await insertTask(ctx, {
    ...fields,
    key: issue.id,
    team,
    holder: null,
    holderName: null,
    leaseExpiresAt: null,
    foreignDigest: null,
  });
  await changeLabels(ctx, task.id, labelsFromIssue(issue), []);
  const adopted = await adoptDanglingEdges(ctx, task);
  await addEdges(ctx, task, issue, adopted === 0);
  await addComments(ctx, task.id, issue);
  ctx.record({
    type: "task.imported",
    subject: task.key,
    team,
    after: { title: fields.title, state: fields.status, priority: fields.priority },
  });
}

async function updateTask(ctx: OperationContext, before: Task, issue: BeadsIssue): Promise<void> {
  const { createdAt: _, createdBy: __, updatedAt, ...fields } = fieldsFromIssue(issue, ctx.now);
  const was = issueFromRaw(before.foreignRaw);
  const locked = await lockTaskById(ctx, before.id);
  const closed = fields.status === "closed";
  const team = knownTeam(issue, teamIds(ctx)) ?? locked.team;
  if (team !== locked.team) await bringDependencies(ctx, before.id, team);
  const after = await saveTaskInGraph(ctx, locked, {
    ...fields,
    team,
    holder: null,
    holderName: closed ? locked.holderName : null,
    leaseExpiresAt: null,
  });
  await ctx.db.updateTable("task").set({ updated_at: updatedAt }).where("id", "=", after.id).execute();
  const labels = labelsFromIssue(issue);
  await changeLabels(
    ctx,
    after.id,
    labels,
    (was?.labels ?? []).filter((label) => !labels.includes(label)),
  );
  for (const edge of was?.dependencies ?? []) {
    if (!issue.dependencies.some((other) => other.target === edge.target && other.type === edge.type)) {
      await removeEdge(ctx, await lockTaskById(ctx, after.id), edge.target);
    }
  }
  await addEdges(ctx, after, issue, false);
  await addComments(ctx, after.id, issue);
  ctx.record({
    type: "task.imported",
    subject: after.key,
    team: after.team,
    before: { title: before.title, state: before.status, priority: before.priority },
    after: { title: fields.title, state: fields.status, priority: fields.priority },
  });
}

/** Edges that would close a circle are kept and flagged; a pair that is there with another type keeps the first. */
async function addEdges(ctx: OperationContext, task: Task, issue: BeadsIssue, isNewSource: boolean): Promise<void> {
  const present = new Map(
    isNewSource
      ? []
      : (await ctx.db.selectFrom("link").select(["target_key", "type"]).where("task_id", "=", task.id).execute()).map(
          (row) => [row.target_key, row.type],
        ),
  );
  for (const edge of edgesFromIssue(issue)) {
    if (present.has(edge.targetKey)) continue;
    present.set(edge.targetKey, edge.type);
    await addEdge(ctx, await lockTaskById(ctx, task.id), { ...edge, keepCyclic: true, isNewSource });
  }
}

async function addComments(ctx: OperationContext, taskId: number, issue: BeadsIssue): Promise<void> {
  const incoming = commentsFromIssue(issue);
  if (incoming.length === 0) return;
  const rows = await ctx.db
    .selectFrom("task_comment")
    .select(["author", "body", "created_at"])
    .where("task_id", "=", taskId)
    .execute();
  const known = new Set(rows.map((row) => JSON.stringify([row.author, Number(row.created_at), row.body])));
  for (const comment of incoming) {
    const name = JSON.stringify([comment.author, comment.createdAt, comment.body]);
    if (known.has(name)) continue;
    known.add(name);
    await insertComment(ctx, taskId, { author: comment.author, body: comment.body, at: comment.createdAt });
  }
}

/** A tombstone of another tool: the record is kept and a live task is closed, not dropped. */
async function bury(ctx: OperationContext, key: string, raw: string, task: Task | undefined): Promise<void> {
  await putForeign(ctx, "tombstone", key, raw);
  if (task && task.status !== "closed") {
    const locked = await lockTaskById(ctx, task.id);
    await saveTaskInGraph(ctx, locked, {
      ...unblocked(locked, ctx.now),
      status: "closed",
      outcome: "cancelled",
      closedAt: ctx.now,
      closeReason: "deleted elsewhere",
      holder: null,
      leaseExpiresAt: null,
    });
  }
  ctx.record({ type: "task.tombstone", subject: key, ...(task ? { team: task.team } : {}) });
}

async function keepForeign(
  ctx: OperationContext,
  kind: string,
  key: string,
  raw: string,
  setting: ImportSetting,
): Promise<Pick<RowVerdict, "verdict" | "reason">> {
  const row = await ctx.db
    .selectFrom("foreign_row")
    .select("raw")
    .where("kind", "=", kind)
    .where("key", "=", key)
    .executeTakeFirst();
  const name = JSON.stringify([kind, key]);
  const kept = setting.wouldKeep.get(name) ?? row?.raw;
  if (kept === raw) return { verdict: "kept", reason: "identical" };
  if (setting.dryRun) setting.wouldKeep.set(name, raw);
  else await putForeign(ctx, kind, key, raw);
  return kept !== undefined ? { verdict: "updated", reason: kind } : { verdict: "created", reason: kind };
}

async function putForeign(ctx: OperationContext, kind: string, key: string, raw: string): Promise<void> {
  await ctx.db
    .insertInto("foreign_row")
    .values({ kind, key, raw, at: ctx.now })
    .onConflict((conflict) => conflict.columns(["kind", "key"]).doUpdateSet({ raw, at: ctx.now }))
    .execute();
}
