import type { OperationContext } from "../../kernel/operation.ts";
import { readProjectFile, replaceProjectFile } from "../../kernel/project-files.ts";
import { relevance } from "./knowledge.rules.ts";
import type { Knowledge } from "./knowledge.schema.ts";
import { loadFacts } from "./knowledge-read.store.ts";
import {
  countLines,
  firstLines,
  LEARNINGS_FILE,
  ownLines,
  renderLearnings,
  splitLearnings,
} from "./learnings.rules.ts";

export interface LearningsView {
  /** Lines of the file as it is; 0 when there is none. */
  readonly lines: number;
  /** Lines that the rendered part does not count for: only people shorten those. */
  readonly ownLines: number;
  readonly shown: number;
  readonly total: number;
  readonly state: "written" | "would change" | "unchanged" | "damaged";
  readonly problem?: string;
}

/** Facts for the file: those of teams and of all, the most worthwhile first. An agent's own stay its own. */
async function factsForFile(ctx: OperationContext): Promise<Knowledge[]> {
  const facts = await loadFacts(ctx.db, (query) => query.where("scope", "!=", "agent"));
  const rank = (fact: Knowledge) => relevance(fact, { files: [], matched: [] }) + Math.min(fact.used, 10) / 100;
  return facts.sort((a, b) => rank(b) - rank(a) || b.updatedAt - a.updatedAt || b.id - a.id);
}

/**
 * Compares LEARNINGS.md with what the knowledge base says, and with `write` puts it right: between the marks only
 * (C-28). It changes at the end of a run and on request, never during one: a changed file would count as somebody's.
 */
export async function viewLearnings(ctx: OperationContext, options: { write: boolean }): Promise<LearningsView> {
  const file = await readProjectFile(ctx.config.root, LEARNINGS_FILE);
  const facts = await factsForFile(ctx);
  const parts = splitLearnings(file ?? Buffer.alloc(0));
  const rendered = renderLearnings(file, facts);
  const counted = {
    lines: countLines(file ?? Buffer.alloc(0)),
    ownLines: ownLines(parts),
    shown: rendered?.shown ?? 0,
    total: facts.length,
  };
  if (parts.damaged !== undefined) return { ...counted, state: "damaged", problem: parts.damaged };
  if (!rendered || file?.equals(rendered.text)) return { ...counted, state: "unchanged" };
  if (!options.write) return { ...counted, state: "would change" };
  await replaceProjectFile(ctx.config.root, LEARNINGS_FILE, rendered.text);
  return { ...counted, lines: countLines(rendered.text), state: "written" };
}

/** The first lines of the project's LEARNINGS.md (requirements CX-04); undefined when there is none. */
export async function learningsStart(
  ctx: OperationContext,
  most: number,
): Promise<{ lines: string[]; total: number } | undefined> {
  const file = await readProjectFile(ctx.config.root, LEARNINGS_FILE);
  return file && file.length > 0 ? firstLines(file, most) : undefined;
}
