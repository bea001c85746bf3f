import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { fenceText, plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { findAgent } from "../agent/agent.store.ts";
import { insertMessage } from "../message/message.store.ts";
import { heldBy } from "../task/claim.store.ts";
import * as taskFields from "../task/task.schema.ts";
import { getTask } from "../task/task.store.ts";
import { compact } from "../task/task.view.ts";
import { checkOwnTeam, teamInView } from "../team/team.rules.ts";
import { isRipe, whyPrune } from "./knowledge.rules.ts";
import * as fields from "./knowledge.schema.ts";
import { addFact, ownSources, reportOutdated, retireFact, type Source } from "./knowledge.store.ts";
import { countUse, findFacts, getFact, loadFacts } from "./knowledge-read.store.ts";
import { MAX_LEARNINGS_LINES } from "./learnings.rules.ts";
import { viewLearnings } from "./learnings.store.ts";

export const knowledgeAdd = defineOperation({
  name: "knowledge_add",
  description:
    "Add to the knowledge base a fact the next agent would not expect; a known one is confirmed. Or report one outdated.",
  kind: "write",
  mcp: "all",
  listedFields: ["fact", "recommendation", "files", "outdated"],
  positional: ["fact"],
  input: z.strictObject({
    fact: fields.factText.optional(),
    kind: z.enum(fields.knowledgeKinds).optional(),
    recommendation: fields.recommendation.optional().describe("Advice."),
    detail: fields.detail.optional().describe("Longer."),
    tags: fields.tags.optional().describe("Words."),
    files: taskFields.scope.optional().describe("Globs."),
    scope: z.enum(fields.knowledgeScopes).optional().describe("Whom it is for."),
    task: taskFields.taskRef.optional().describe("Its source; yours by default."),
    outdated: z.string().min(1).max(64).optional().describe("Id of one that no longer holds."),
  }),
  output: z.object({ knowledge: fields.knowledgeView, merged: z.boolean(), next: z.array(z.string()) }),
  async run(ctx, input) {
    const sources = await sourcesOf(ctx, input);
    if (input.outdated !== undefined) {
      const fact = await reportOutdated(ctx, input.outdated, input.detail ?? input.fact);
      return { knowledge: toView(fact), merged: false, next: ["knowledge_search"] };
    }
    if (input.fact === undefined) throw incomplete("There is no fact to add.");
    const { fact, merged } = await addFact(
      ctx,
      { ...input, fact: input.fact, ...(await ownerOf(ctx, input.scope, input.task)) },
      sources,
    );
    if (!merged && fact.kind === "solution" && fact.scope === "team") await tellTeam(ctx, fact);
    return { knowledge: toView(fact), merged, next: ["knowledge_search"] };
  },
  render: ({ knowledge, merged }, view) =>
    [
      `${view.paint("cyan", knowledge.id)} ${merged ? "was known and is confirmed" : (knowledge.outdated ?? 0) > 0 ? "is reported outdated" : "added"}: ${knowledge.kind}, confidence ${knowledge.confidence}, ${knowledge.sources} source${knowledge.sources === 1 ? "" : "s"}.`,
      fenceText("fact", knowledge.fact),
    ].join("\n"),
});

/** A solution is worth nothing to those who do not know that it is there (requirement KN-01). */
async function tellTeam(ctx: OperationContext, fact: fields.Knowledge): Promise<void> {
  await insertMessage(ctx, {
    kind: "INFO",
    sender: ctx.principal,
    channel: `team:${fact.owner}`,
    text: `Solution ${fact.key}: ${plainLine(fact.fact, 200)} (knowledge_search has the rest).`,
  });
}

function incomplete(message: string): TeamwrightError {
  return new TeamwrightError(
    "INVALID_INPUT",
    message,
    hint("knowledge_add", "takes fact, or outdated with the id of one"),
  );
}

/** Whose the fact is: unless it says, the caller's team's, or that of the task it was learned at, else everybody's. */
async function ownerOf(ctx: OperationContext, asked: fields.KnowledgeScope | undefined, taskRef: string | undefined) {
  if (asked === "agent") return { scope: asked, owner: ctx.principal.name };
  const { teams } = ctx.config;
  const ofTask = taskRef === undefined ? undefined : (await getTask(ctx, taskRef)).team;
  const team = ctx.principal.team ?? ofTask ?? (teams.length === 1 ? teams[0]?.id : undefined);
  if (asked === "org" || (asked === undefined && team === undefined)) return { scope: "org" as const, owner: "" };
  if (team === undefined) throw incomplete("Name a task of the team that it is for, or make it for the org.");
  return { scope: "team" as const, owner: team };
}

/** The task named, or the one that is held, or the one the agent was started for, or the run. */
async function sourcesOf(ctx: OperationContext, input: { task?: string | undefined }): Promise<Source[]> {
  const { principal } = ctx;
  let task: string | undefined;
  if (input.task !== undefined) {
    const named = await getTask(ctx, input.task);
    checkOwnTeam(principal, named.team);
    task = named.key;
  }
  task ??= (await heldBy(ctx.db, principal.key))[0]?.key;
  if (task === undefined && principal.agentId !== undefined)
    task = (await findAgent(ctx.db, principal.agentId))?.task_key ?? undefined;
  const sources = await ownSources(ctx, task);
  // a task of a run and the run itself are one experience
  return sources.slice(0, 1);
}

export const knowledgeSearch = defineOperation({
  name: "knowledge_search",
  description:
    "Search the knowledge base for what earlier agents learned, by words, by the files you are about to change, or both.",
  kind: "write",
  mcp: "all",
  listedFields: ["words", "files", "limit"],
  positional: ["words"],
  input: z.strictObject({
    words: z.string().min(1).max(400).optional().describe("Any may match."),
    files: taskFields.scope.optional().describe("Paths or globs."),
    team: taskFields.teamId.optional(),
    kind: z.enum(fields.knowledgeKinds).optional(),
    limit: z.number().int().min(1).max(200).optional(),
  }),
  output: z.object({ total: z.number(), knowledge: z.array(fields.knowledgeView) }),
  async run(ctx, input) {
    const team = teamInView(ctx.config, ctx.principal, input.team);
    const found = await findFacts(ctx, ctx.principal, { ...input, team });
    const shown = found.slice(0, input.limit ?? 10);
    await countUse(
      ctx,
      shown.map((fact) => fact.id),
    );
    return { total: found.length, knowledge: shown.map(toView) };
  },
  render(output, view) {
    if (output.total === 0) return "Nothing is known about that.";
    const lines = output.knowledge.map((fact) =>
      [
        `${fact.id} ${fact.kind} (${fact.confidence}, ${fact.sources} source${fact.sources === 1 ? "" : "s"}) ${plainLine(fact.fact, 160)}`,
        fact.recommendation && `  do: ${plainLine(fact.recommendation, 500)}`,
        fact.files && `  files: ${plainLine(fact.files.join(", "), 200)}`,
        fact.detail && plainLine(fact.detail, 600).replace(/^/, "  more: "),
      ]
        .filter(Boolean)
        .join("\n"),
    );
    const head = `${output.knowledge.length} of ${output.total} facts:`;
    return [view.paint("bold", head), fenceText("knowledge", lines.join("\n"))].join("\n");
  },
});

const proposal = z.object({ id: z.string(), fact: z.string(), reason: z.string() });

export const knowledgePrune = defineOperation({
  name: "knowledge_prune",
  description:
    "Propose which facts to retire (neither used nor confirmed for 90 days, or reported outdated) and how LEARNINGS.md would change; with apply it is done. LEARNINGS.md is rendered between its marks, the rest of the file stays as it is. Retired facts are kept, but not found.",
  kind: "write",
  destructive: true,
  mcp: "none",
  input: z.strictObject({
    apply: z.boolean().optional().describe("Retire what is proposed and render LEARNINGS.md."),
    keep: z.array(z.string().min(1).max(64)).max(500).optional().describe("Ids of facts that stay."),
  }),
  output: z.object({
    applied: z.boolean(),
    retire: z.array(proposal),
    promote: z.array(z.object({ id: z.string(), fact: z.string(), sources: z.number() })),
    learnings: z.object({
      lines: z.number(),
      most: z.number(),
      own_lines: z.number(),
      shown: z.number(),
      total: z.number(),
      state: z.string(),
      problem: z.string().optional(),
    }),
  }),
  async run(ctx, input) {
    const kept = new Set<string>();
    for (const ref of input.keep ?? []) kept.add((await getFact(ctx.db, ctx.principal, ref)).key);
    const facts = await loadFacts(ctx.db, (query) => query);
    const going = facts.flatMap((fact) => {
      const reason = whyPrune(fact, ctx.now);
      return reason === undefined || kept.has(fact.key) ? [] : [{ fact, reason }];
    });
    if (input.apply) for (const { fact, reason } of going) await retireFact(ctx, fact, reason);
    const view = await viewLearnings(ctx, { write: input.apply === true });
    return {
      applied: input.apply === true,
      retire: going.map(({ fact, reason }) => ({ id: fact.key, fact: fact.fact, reason })),
      promote: facts.filter(isRipe).map((fact) => ({ id: fact.key, fact: fact.fact, sources: fact.sources })),
      learnings: compact({
        lines: view.lines,
        most: MAX_LEARNINGS_LINES,
        own_lines: view.ownLines,
        shown: view.shown,
        total: view.total,
        state: view.state,
        problem: view.problem,
      }),
    };
  },
  render(output, view) {
    const { learnings, retire, promote } = output;
    const lines = [
      `LEARNINGS.md: ${learnings.lines} of at most ${learnings.most} lines, ${learnings.own_lines} of them not rendered; ${learnings.shown} of ${learnings.total} facts shown; ${learnings.state}${learnings.problem === undefined ? "" : ` (${learnings.problem})`}.`,
    ];
    if (learnings.own_lines > learnings.most)
      lines.push("What people wrote there is too long by itself; only people shorten it.");
    if (retire.length > 0) {
      lines.push(view.paint("bold", output.applied ? "Retired:" : "To retire:"));
      for (const { id, fact, reason } of retire) lines.push(`  ${id} ${plainLine(fact, 120)} (${reason})`);
    }
    if (promote.length > 0) {
      lines.push(view.paint("bold", "Confirmed often enough for CLAUDE.md:"));
      for (const { id, fact, sources } of promote) lines.push(`  ${id} ${plainLine(fact, 120)} (${sources} sources)`);
    }
    const open = !output.applied && (retire.length > 0 || learnings.state === "would change");
    if (open) lines.push("Nothing was changed; apply does it.");
    return lines.join("\n");
  },
});

function toView(fact: fields.Knowledge): fields.KnowledgeView {
  return compact({
    id: fact.key,
    kind: fact.kind,
    fact: fact.fact,
    recommendation: fact.recommendation ?? undefined,
    detail: fact.detail ?? undefined,
    scope: fact.scope,
    owner: fact.owner === "" ? undefined : fact.owner,
    tags: fact.tags.length > 0 ? [...fact.tags] : undefined,
    files: fact.files.length > 0 ? [...fact.files] : undefined,
    confidence: fact.confidence,
    sources: fact.sources,
    used: fact.used,
    helpful: fact.helpful > 0 ? fact.helpful : undefined,
    outdated: fact.outdated > 0 ? fact.outdated : undefined,
  }) as fields.KnowledgeView;
}
