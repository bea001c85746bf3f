import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { tellConflicts } from "../message/conflict-message.store.ts";
import { teamForNew } from "../team/team.rules.ts";
import { addEdge } from "./graph.store.ts";
import { checkLinkTeams } from "./link.rules.ts";
import { createTask } from "./new-task.store.ts";
import { conflictSentence, conflictsOfTeams, overlapsWithOpen } from "./overlap.store.ts";
import { overlappingScopes, taskFindings } from "./quality.rules.ts";
import type { Task } from "./task.schema.ts";
import * as fields from "./task.schema.ts";
import { getTask, resolveKey } from "./task.store.ts";
import { toBrief } from "./task.view.ts";

const MOST_FINDINGS = 20;
/** Tasks of one call whose scopes are compared. */
const MOST_COMPARED = 100;

const draftShape = {
  title: fields.title,
  description: fields.longText.optional(),
  acceptance: fields.longText.optional().describe("How anybody can tell that it is done."),
  design: fields.longText.optional(),
  notes: fields.longText.optional(),
  kind: fields.kind.optional(),
  priority: fields.priority.optional(),
  points: fields.points.optional(),
  team: fields.teamId.optional(),
  parent: fields.taskRef.optional().describe("Task above: an id, or the ref of a draft."),
  blocked_by: z.array(fields.taskRef).max(100).optional().describe("Ids or refs of drafts that must be closed first."),
  labels: fields.labels.optional(),
  scope: fields.scope.optional(),
  assignee: fields.assignee.optional(),
  defer_until: fields.instant.optional(),
  due_at: fields.instant.optional(),
  external_ref: fields.longText.optional(),
};

const draft = z
  .strictObject({
    ...draftShape,
    ref: z.string().min(1).max(64).optional().describe("Name of this draft for parent and blocked_by of the others."),
  })
  .meta({ brief: "The same fields, and ref: a name for parent and blocked_by of others." });
type Draft = z.infer<typeof draft>;

const input = z.strictObject({
  ...draftShape,
  title: fields.title.optional(),
  tasks: z.array(draft).min(1).max(500).optional().describe("Several, all or none; instead of title."),
});

const created = fields.taskBrief.extend({ ref: z.string().optional() });

export const taskCreate = defineOperation({
  name: "task_create",
  description:
    "Create tasks (work items, bugs, epics, stories), one or many in a call, with acceptance criteria, dependencies, parent, file scope. Returns ids and what is weak about them. Starts nothing: see task_claim.",
  kind: "write",
  mcp: "core",
  listedFields: [
    "title",
    "description",
    "acceptance",
    "kind",
    "priority",
    "team",
    "parent",
    "blocked_by",
    "labels",
    "scope",
    "tasks",
  ],
  coreFields: [
    "title",
    "description",
    "acceptance",
    "kind",
    "priority",
    "team",
    "parent",
    "blocked_by",
    "scope",
    "tasks",
  ],
  positional: ["title"],
  input,
  output: z.object({
    task: created.optional(),
    tasks: z.array(created).optional(),
    total: z.number(),
    findings: z.array(z.string()).optional(),
    next: z.array(z.string()),
  }),
  async run(ctx, { tasks, ...single }) {
    const drafts = toDrafts(tasks, single);
    const findings = checkQuality(ctx, drafts);
    checkAssignees(ctx, drafts);
    const keys = new Map<string, string>();
    const inserted = [];
    for (const item of drafts) {
      const task = await insertDraft(ctx, item);
      if (item.ref !== undefined) keys.set(item.ref, task.key);
      inserted.push(task);
    }
    for (const [index, item] of drafts.entries()) {
      const task = inserted[index];
      if (task) await connect(ctx, item, task.key, keys);
    }
    findings.push(...(await checkOverlaps(ctx, inserted)));
    const shown = [];
    for (const [index, task] of inserted.entries()) {
      const ref = drafts[index]?.ref;
      shown.push({ ...toBrief(await getTask(ctx, task.key)), ...(ref === undefined ? {} : { ref }) });
    }
    const conflicts = await conflictsOfTeams(ctx, inserted);
    await tellConflicts(ctx, conflicts);
    if (ctx.config.task_quality !== "off") findings.push(...conflicts.map(conflictSentence));
    return {
      ...(tasks ? { tasks: shown } : { task: shown[0] }),
      total: shown.length,
      ...(findings.length > 0 ? { findings: findings.slice(0, MOST_FINDINGS) } : {}),
      next: ["task_ready", "task_claim"],
    };
  },
  render(output, view) {
    const rows = (output.tasks ?? (output.task ? [output.task] : [])).map(
      (task) => `${view.paint("cyan", task.id)}  ${plainLine(task.title)}  (${task.state}, ${task.team})`,
    );
    return [
      ...rows,
      ...(output.findings ?? []).map((finding) => view.paint("yellow", `! ${plainLine(finding, 300)}`)),
      view.next(output.next),
    ].join("\n");
  },
});

function toDrafts(tasks: Draft[] | undefined, single: Omit<z.infer<typeof input>, "tasks">): Draft[] {
  if (tasks) {
    if (single.title !== undefined) {
      throw new TeamwrightError(
        "INVALID_INPUT",
        "Give either title or tasks, not both.",
        hint("task_create", "with one of them"),
      );
    }
    const refs = tasks.flatMap((item) => (item.ref === undefined ? [] : [item.ref]));
    const twice = refs.find((ref, index) => refs.indexOf(ref) !== index);
    if (twice !== undefined) {
      throw new TeamwrightError(
        "INVALID_INPUT",
        `Two drafts are called ${plainLine(twice)}.`,
        hint("task_create", "with a ref for each"),
      );
    }
    const { title: _, ...common } = single; // what is said once holds for every draft that does not say otherwise
    return tasks.map((item) => ({ ...common, ...item }));
  }
  if (single.title === undefined) {
    throw new TeamwrightError("INVALID_INPUT", "Give title, or tasks for several.", hint("task_create", "with title"));
  }
  return [{ ...single, title: single.title }];
}

/** Throws FORBIDDEN when an agent gives work to another: naming who should look at it is a comment's business. */
function checkAssignees(ctx: OperationContext, drafts: readonly Draft[]): void {
  if (ctx.principal.kind !== "agent") return;
  const other = drafts.find((item) => item.assignee?.trim() && item.assignee.trim() !== ctx.principal.name);
  if (other)
    throw new TeamwrightError(
      "FORBIDDEN",
      "An agent cannot assign work to another.",
      hint("task_create", "without assignee leaves it to the board"),
    );
}

/** Findings by draft; with `task_quality: strict` they refuse the whole call (requirements TD-02, TD-08). */
function checkQuality(ctx: OperationContext, drafts: readonly Draft[]): string[] {
  if (ctx.config.task_quality === "off") return [];
  const findings = drafts.flatMap((item) =>
    taskFindings(item).map((finding) => (drafts.length > 1 ? `${plainLine(item.title, 50)}: ${finding}` : finding)),
  );
  const waits = waitingRefs(drafts);
  const ordered = (item: Draft | undefined, other: Draft | undefined) =>
    Boolean(item && other?.ref && waits.get(item)?.has(other.ref));
  const teamOf = (item: Draft | undefined) => teamForNew(ctx.config, ctx.principal, item?.team);
  for (const [a, b, glob] of drafts.length <= MOST_COMPARED
    ? overlappingScopes(drafts.map((item) => item.scope ?? []))
    : []) {
    const [left, right] = [drafts[a], drafts[b]];
    // nothing orders tasks of two teams yet: both teams hear of those when they are made
    if (teamOf(left) !== teamOf(right) || ordered(left, right) || ordered(right, left)) continue;
    findings.push(
      `"${plainLine(left?.title ?? "", 40)}" and "${plainLine(right?.title ?? "", 40)}" may both write ${glob}: order them with blocked_by`,
    );
  }
  refuseWeak(ctx, findings);
  return findings;
}

/** The same for what other open tasks may write; asked when the links are there that put one behind another. */
async function checkOverlaps(ctx: OperationContext, made: readonly Task[]): Promise<string[]> {
  if (ctx.config.task_quality === "off" || made.length > MOST_COMPARED) return [];
  const findings = await overlapsWithOpen(ctx, made);
  refuseWeak(ctx, findings);
  return findings;
}

function refuseWeak(ctx: OperationContext, findings: readonly string[]): void {
  if (ctx.config.task_quality !== "strict" || findings.length === 0) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    "The project asks for better tasks.",
    hint("task_create", "with the points mended"),
    findings.slice(0, MOST_FINDINGS),
  );
}

/** The refs each draft waits for, directly or through others. */
function waitingRefs(drafts: readonly Draft[]): Map<Draft, Set<string>> {
  const byRef = new Map(drafts.map((item) => [item.ref, item]));
  const found = new Map<Draft, Set<string>>();
  for (const item of drafts) {
    const reached = new Set<string>();
    const queue = [...(item.blocked_by ?? [])];
    for (let ref = queue.pop(); ref !== undefined; ref = queue.pop()) {
      if (reached.has(ref)) continue;
      reached.add(ref);
      queue.push(...(byRef.get(ref)?.blocked_by ?? []));
    }
    found.set(item, reached);
  }
  return found;
}

async function insertDraft(ctx: OperationContext, { defer_until, due_at, external_ref, ...item }: Draft) {
  return createTask(ctx, {
    ...item,
    team: teamForNew(ctx.config, ctx.principal, item.team),
    externalRef: external_ref,
    dueAt: due_at === undefined ? undefined : Date.parse(due_at),
    deferUntil: defer_until === undefined ? undefined : Date.parse(defer_until),
  });
}

async function connect(
  ctx: OperationContext,
  item: Draft,
  key: string,
  refs: ReadonlyMap<string, string>,
): Promise<void> {
  const targets: [string, string][] = (item.blocked_by ?? []).map((ref) => [ref, "blocks"]);
  if (item.parent !== undefined) targets.push([item.parent, "parent-child"]);
  for (const [ref, type] of targets) {
    const task = await getTask(ctx, key);
    const target = await getTask(ctx, refs.get(ref) ?? (await resolveKey(ctx, ref)));
    // by its title: when this is refused there is no task of that id
    checkLinkTeams(ctx.principal, { key: `"${plainLine(item.title, 60)}"`, team: task.team }, target, type);
    await addEdge(ctx, task, { targetKey: target.key, type });
  }
}
