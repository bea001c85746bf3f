import { type Kysely, type Selectable, sql } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { findByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import { isAbout, isVisible, rankFacts, searchTerms } from "./knowledge.rules.ts";
import type { Knowledge, KnowledgeKind } from "./knowledge.schema.ts";
import type { KnowledgeTable } from "./knowledge.table.ts";

/** More facts than this are not looked at by one call; a knowledge base of that size wants pruning. */
const MOST_FACTS = 2000;

/** A fact by its id or a start of it. Throws NOT_FOUND, also for what the viewer may not see. */
export async function getFact(db: Kysely<Database>, viewer: Principal, ref: string): Promise<Knowledge> {
  const list = hint("knowledge_search", "finds facts by words");
  const fact = await findByCutKey(db, "knowledge", ref, list, async (key) => {
    const [found] = await loadFacts(db, (query) => query.where("key", "=", key));
    return found;
  });
  if (fact && isVisible(fact, viewer)) return fact;
  throw new TeamwrightError("NOT_FOUND", "No fact has this id.", list);
}

export interface FactQuery {
  readonly words?: string | undefined;
  readonly team?: string | undefined;
  readonly files?: readonly string[] | undefined;
  readonly kind?: KnowledgeKind | undefined;
}

/** Facts the viewer may see that meet the query, most relevant first; all of them when it asks for nothing. */
export async function findFacts(
  ctx: OperationContext,
  viewer: Principal,
  query: FactQuery,
): Promise<readonly Knowledge[]> {
  const { kind } = query;
  const facts = (await loadFacts(ctx.db, (q) => (kind === undefined ? q : q.where("kind", "=", kind)))).filter((fact) =>
    isVisible(fact, viewer, query.team ?? viewer.team),
  );
  const wanted = { files: query.files ?? [], matched: await matching(ctx, query.words) };
  const asks = query.words !== undefined || wanted.files.length > 0;
  return rankFacts(asks ? facts.filter((fact) => isAbout(fact, wanted)) : facts, wanted);
}

async function matching(ctx: OperationContext, text: string | undefined): Promise<number[]> {
  const words = text === undefined ? [] : searchTerms(text);
  return words.length === 0 ? [] : ctx.dialect.searchKnowledge(ctx.db, words, 500);
}

/** The facts an agent is told for a piece of work: rules always, others for its words or files. */
export async function factsFor(
  ctx: OperationContext,
  viewer: Principal,
  work: { words: string; files: readonly string[]; most: number },
): Promise<Knowledge[]> {
  if (work.most === 0) return [];
  const facts = await loadFacts(ctx.db, (query) => query);
  if (facts.length === 0) return [];
  const wanted = { files: work.files, matched: await matching(ctx, work.words) };
  const told = facts.filter((fact) => isVisible(fact, viewer) && (fact.kind === "rule" || isAbout(fact, wanted)));
  return rankFacts(told, wanted).slice(0, work.most);
}

/** Counts that facts were found or told; no event, or reading would fill the trail. */
export async function countUse(ctx: OperationContext, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await ctx.db
    .updateTable("knowledge")
    .set((e) => ({ used: e("used", "+", 1), used_at: ctx.now }))
    .where("id", "in", [...ids])
    .execute();
}

type FactSelect = ReturnType<typeof liveFacts>;

function liveFacts(db: Kysely<Database>) {
  return db.selectFrom("knowledge").where("retired_at", "is", null);
}

/** Facts in use, the last changed first. */
export async function loadFacts(db: Kysely<Database>, narrow: (query: FactSelect) => FactSelect): Promise<Knowledge[]> {
  const rows = await narrow(liveFacts(db))
    .selectAll("knowledge")
    .select((e) =>
      e
        .selectFrom("knowledge_source")
        .select(sql<number>`count(*)`.as("n"))
        .whereRef("knowledge_id", "=", "knowledge.id")
        .as("sources"),
    )
    .orderBy("updated_at", "desc")
    .orderBy("id", "desc")
    .limit(MOST_FACTS)
    .execute();
  return rows.map((row) => toKnowledge(row, Number(row.sources)));
}

export function toKnowledge(row: Selectable<KnowledgeTable>, sources: number): Knowledge {
  return {
    id: Number(row.id),
    key: row.key,
    // the three words below are written by addFact only, from the closed lists
    scope: row.scope as Knowledge["scope"],
    owner: row.owner,
    kind: row.kind as Knowledge["kind"],
    fact: row.fact,
    detail: row.detail,
    recommendation: row.recommendation,
    tags: JSON.parse(row.tags) as string[],
    files: JSON.parse(row.files) as string[],
    confidence: row.confidence as Knowledge["confidence"],
    used: row.used,
    helpful: row.helpful,
    outdated: row.outdated,
    sources,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    usedAt: row.used_at === null ? null : Number(row.used_at),
  };
}
