import { sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import { activeRun } from "../run/run.store.ts";
import {
  checkFact,
  confidenceOf,
  readFact,
  readLearning,
  SAME_FACT,
  searchTerms,
  similarity,
} from "./knowledge.rules.ts";
import type { Knowledge, KnowledgeKind, KnowledgeScope } from "./knowledge.schema.ts";
import type { KnowledgeSourceTable } from "./knowledge.table.ts";
import { getFact, loadFacts, toKnowledge } from "./knowledge-read.store.ts";

export interface NewFact {
  readonly fact: string;
  readonly kind?: KnowledgeKind | undefined;
  readonly scope: KnowledgeScope;
  readonly owner: string;
  readonly detail?: string | undefined;
  readonly recommendation?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly files?: readonly string[] | undefined;
}

/** A task, run or report a fact comes from. */
export type Source = Pick<KnowledgeSourceTable, "kind" | "ref">;

/**
 * Stores what somebody learned, or adds its sources to the fact that says the same already (LP-04). `sources` may be
 * empty: then the caller is the source. Throws RULE_VIOLATED for what teaches nothing.
 */
export async function addFact(
  ctx: OperationContext,
  draft: NewFact,
  sources: readonly Source[],
): Promise<{ fact: Knowledge; merged: boolean }> {
  const { fact: text, kind } = readFact(draft.fact, draft.kind);
  checkFact(text, [draft.detail, draft.recommendation]);
  await ctx.dialect.lockName(ctx.db, "knowledge"); // two that learn the same at once make one fact
  const from = sources.length > 0 ? sources : [{ kind: "person", ref: ctx.principal.key }];
  const twin = await findTwin(ctx, text, draft);
  if (twin) {
    const fact = await confirmFact(ctx, twin, from, draft);
    return { fact, merged: true };
  }
  const row = await ctx.db
    .insertInto("knowledge")
    .values({
      key: ctx.newKey("kn"),
      scope: draft.scope,
      owner: draft.owner,
      kind,
      fact: text,
      detail: draft.detail ?? null,
      recommendation: draft.recommendation ?? null,
      tags: JSON.stringify(draft.tags ?? []),
      files: JSON.stringify(draft.files ?? []),
      confidence: "low",
      created_at: ctx.now,
      created_by: ctx.principal.key,
      updated_at: ctx.now,
      used_at: null,
      retired_at: null,
      retired_reason: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const count = await addSources(ctx, Number(row.id), from);
  const confidence = confidenceOf(count);
  if (confidence !== "low")
    await ctx.db.updateTable("knowledge").set({ confidence }).where("id", "=", row.id).execute();
  ctx.record({
    type: "knowledge.added",
    subject: row.key,
    team: draft.scope === "team" ? draft.owner : undefined,
    after: { kind, scope: draft.scope, fact: text },
  });
  return { fact: toKnowledge({ ...row, confidence }, count), merged: false };
}

async function findTwin(
  ctx: OperationContext,
  text: string,
  { scope, owner }: NewFact,
): Promise<Knowledge | undefined> {
  const words = searchTerms(text);
  const near = words.length === 0 ? [] : await ctx.dialect.searchKnowledge(ctx.db, words, 200);
  const rows = await loadFacts(ctx.db, (query) =>
    query
      .where("scope", "=", scope)
      .where("owner", "=", owner)
      .where((e) => (near.length > 0 ? e.or([e("id", "in", near), e("fact", "=", text)]) : e("fact", "=", text))),
  );
  const ranked = rows
    .map((fact) => ({ fact, alike: similarity(fact.fact, text) }))
    .filter(({ alike }) => alike > SAME_FACT)
    .sort((a, b) => b.alike - a.alike);
  return ranked[0]?.fact;
}

/** One more source; what the fact had not said yet is taken over. */
async function confirmFact(
  ctx: OperationContext,
  known: Knowledge,
  sources: readonly Source[],
  draft: Pick<NewFact, "detail" | "recommendation" | "tags" | "files">,
): Promise<Knowledge> {
  const count = await addSources(ctx, known.id, sources);
  const confidence = confidenceOf(count);
  const change = {
    confidence,
    detail: known.detail ?? draft.detail ?? null,
    recommendation: known.recommendation ?? draft.recommendation ?? null,
    tags: [...new Set([...known.tags, ...(draft.tags ?? [])])].slice(0, 20),
    files: [...new Set([...known.files, ...(draft.files ?? [])])].slice(0, 50),
    helpful: known.helpful + 1,
  };
  await ctx.db
    .updateTable("knowledge")
    .set({ ...change, tags: JSON.stringify(change.tags), files: JSON.stringify(change.files), updated_at: ctx.now })
    .where("id", "=", known.id)
    .execute();
  ctx.record({
    type: "knowledge.confirmed",
    subject: known.key,
    before: { confidence: known.confidence, sources: known.sources },
    after: { confidence, sources: count },
  });
  return { ...known, ...change, sources: count, updatedAt: ctx.now };
}

/** Adds what is new and says how many there are. */
async function addSources(ctx: OperationContext, id: number, sources: readonly Source[]): Promise<number> {
  for (const source of sources) {
    await ctx.db
      .insertInto("knowledge_source")
      .values({ knowledge_id: id, kind: source.kind, ref: source.ref, actor: ctx.principal.key, at: ctx.now })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const row = await ctx.db
    .selectFrom("knowledge_source")
    .select(sql<number>`count(*)`.as("n"))
    .where("knowledge_id", "=", id)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/**
 * Keeps what a report says was learned (requirements LP-03, C-24), for the team; `report` and `task` are its sources.
 * What teaches nothing or looks like a secret is left out and counted as skipped: the linter has told its author.
 */
export async function learnFromReport(
  ctx: OperationContext,
  report: { team: string; learnings: readonly string[]; report?: string | undefined; task?: string | undefined },
): Promise<{ added: Knowledge[]; skipped: number }> {
  const task = report.task === undefined ? [] : [{ kind: "task", ref: report.task }];
  const sources = task.length > 0 || report.report === undefined ? task : [{ kind: "report", ref: report.report }];
  const added: Knowledge[] = [];
  for (const text of report.learnings) {
    const learning = readLearning(text);
    if (!isWorthKeeping(learning.fact, [learning.detail])) continue;
    added.push((await addFact(ctx, { ...learning, scope: "team", owner: report.team }, sources)).fact);
  }
  return { added, skipped: report.learnings.length - added.length };
}

function isWorthKeeping(fact: string, rest: readonly (string | undefined)[]): boolean {
  try {
    checkFact(fact, rest);
    return true;
  } catch {
    return false;
  }
}

/** Somebody found that a fact no longer holds; enough of them make it one to retire. */
export async function reportOutdated(ctx: OperationContext, ref: string, reason?: string): Promise<Knowledge> {
  const fact = await getFact(ctx.db, ctx.principal, ref);
  const outdated = fact.outdated + 1;
  await ctx.db.updateTable("knowledge").set({ outdated }).where("id", "=", fact.id).execute();
  ctx.record({ type: "knowledge.outdated", subject: fact.key, after: { reports: outdated, reason } });
  return { ...fact, outdated };
}

export async function retireFact(ctx: OperationContext, fact: Knowledge, reason: string): Promise<void> {
  await ctx.db
    .updateTable("knowledge")
    .set({ retired_at: ctx.now, retired_reason: reason })
    .where("id", "=", fact.id)
    .execute();
  ctx.record({ type: "knowledge.retired", subject: fact.key, before: { fact: fact.fact }, after: { reason } });
}

/** Where the caller learned it: the run of its session and the task it was started for or names. */
export async function ownSources(ctx: OperationContext, task: string | undefined): Promise<Source[]> {
  const { session } = ctx.principal;
  const run = session === undefined ? undefined : await activeRun(ctx.db, session);
  return [
    ...(task === undefined ? [] : [{ kind: "task", ref: task }]),
    ...(run ? [{ kind: "run", ref: run.key }] : []),
  ];
}
