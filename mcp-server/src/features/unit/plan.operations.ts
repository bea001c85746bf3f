import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { leadBrief } from "../brief/lead-brief.store.ts";
import { activeRun, checkLeads, insertRun, openRuns, type RunRow } from "../run/run.store.ts";
import { edgesFrom } from "../task/graph.store.ts";
import type { Task } from "../task/task.schema.ts";
import * as fields from "../task/task.schema.ts";
import { findTaskById, getTask } from "../task/task.store.ts";
import { compact } from "../task/task.view.ts";
import { labelsOfTask } from "../task/task-parts.store.ts";
import { checkDirects } from "./lead.rules.ts";
import {
  chooseMode,
  type EntryVerdict,
  entryVerdict,
  type InformationNeed,
  type InRun,
  itemsOf,
  type PlannedTask,
  type PlanProblem,
  planProblems,
  runName,
  stagesOf,
  verdicts,
} from "./plan.rules.ts";
import { isOpen } from "./unit.rules.ts";
import { insertUnit, openUnitOf, unitsOfRun } from "./unit.store.ts";

const MAX_TASKS = 100;

export const unitPlan = defineOperation({
  name: "unit_plan",
  description:
    "Plan a run of work units from tasks: says whether to work single, parallel, delegated or as a team, finds conflicts, starts the run. Within a run it adds units. preview changes nothing.",
  kind: "write",
  mcp: "all",
  listedFields: ["tasks", "needs", "about", "tools", "preview"],
  input: z.strictObject({
    tasks: z.array(fields.taskRef).min(1).max(MAX_TASKS).describe("Ids."),
    needs: z
      .array(z.strictObject({ from: fields.taskRef, to: fields.taskRef }))
      .max(500)
      .optional()
      .describe("Pairs that need each other's discoveries while they work."),
    about: z.string().min(1).max(80).optional().describe("Issue number or name; part of the run's name."),
    level: z.enum(["swarm", "issue", "review"]).optional(),
    tools: z.array(z.string().max(80)).max(300).optional().describe("Names of the tools you have."),
    preview: z.boolean().optional().describe("Starts nothing."),
  }),
  output: z.object({
    verdict: z.enum(verdicts),
    reason: z.string(),
    pairs: z.array(z.array(z.string())),
    mode: z.enum(["team", "task"]),
    mode_reason: z.string(),
    stages: z.array(z.array(z.string())),
    problems: z.array(z.string()),
    run: z.object({ id: z.string(), name: z.string() }).optional(),
    units: z.array(z.object({ id: z.string(), task: z.string(), stage: z.number() })).optional(),
    read_first: z.string().optional().describe("What is known about this work, what is in hand, who is on the teams."),
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    checkDirects(ctx.principal, "plans a run");
    const tasks = await readTasks(ctx, input.tasks);
    const planned = await Promise.all(tasks.map((task) => plannedTask(ctx, task)));
    const keyOf = new Map(input.tasks.map((ref, index) => [ref, tasks[index]?.key ?? ref]));
    const needs = (input.needs ?? []).map(({ from, to }) => ({
      from: keyOf.get(from) ?? from,
      to: keyOf.get(to) ?? to,
    }));
    checkNeeds(planned, needs);
    const current = ctx.principal.session === undefined ? undefined : await activeRun(ctx.db, ctx.principal.session);
    const inRun = current ? await tasksInRun(ctx, current, tasks) : [];
    const entry = entryVerdict(planned, needs);
    const problems = planProblems(planned, inRun);
    const { stages } = stagesOf(planned, inRun);
    const choice = current
      ? {
          mode: current.mode as "team" | "task",
          reason: "decided when the run began; it does not change while the run lives",
        }
      : chooseMode(ctx.config.units.mode, entry.verdict, input.tools ?? []);
    const answer = {
      verdict: entry.verdict,
      reason: entry.reason,
      pairs: entry.pairs.map((pair) => [...pair]),
      mode: choice.mode,
      mode_reason: choice.reason,
      stages: groupByStage(stages),
      problems: problems.map((problem) => problem.text),
    };
    if (input.preview) return { ...answer, next: ["unit_plan", "task_update", "task_link"] };
    refuseIfNeeded(ctx, problems);
    await ctx.dialect.lockName(ctx.db, "unit-plan"); // of two plans of one task the second finds the first
    await refuseOpenUnits(ctx, tasks);
    const run =
      current ??
      (await startRun(ctx, {
        ...input,
        verdict: entry.verdict,
        reason: entry.reason,
        pairs: entry.pairs.length,
        mode: choice.mode,
        modeReason: choice.reason,
        first: tasks[0],
      }));
    if (current) await checkLeads(ctx, current);
    const units = [];
    for (const task of tasks) {
      const unit = await insertUnit(ctx, run, {
        task_id: task.id,
        title: task.title,
        stage: stages.get(task.key) ?? 1,
        scope: JSON.stringify(task.scope),
        items: JSON.stringify(itemsOf(task.acceptance ?? "")),
      });
      units.push({ id: unit.key, task: task.key, stage: unit.stage });
    }
    return compact({
      ...answer,
      run: { id: run.key, name: run.name },
      units,
      read_first: current ? undefined : (await leadBrief(ctx, tasks)) || undefined,
      next: ["unit_start", "brief_show"],
    });
  },
  render(output, view) {
    const lines = [`${view.paint("bold", output.verdict)}: ${plainLine(output.reason, 300)}`];
    lines.push(`mode ${output.mode}: ${output.mode_reason}`);
    output.stages.forEach((keys, index) => {
      if (keys.length > 0) lines.push(`stage ${index + 1}: ${keys.join(", ")}`);
    });
    for (const problem of output.problems) lines.push(view.paint("yellow", `! ${plainLine(problem, 300)}`));
    if (output.run) lines.push(`${view.paint("green", "Started")} ${output.run.name} (${output.run.id})`);
    for (const unit of output.units ?? [])
      lines.push(`${view.paint("cyan", unit.id)} for ${unit.task}, stage ${unit.stage}`);
    if (output.read_first) lines.push(view.paint("bold", "Read first:"), output.read_first);
    lines.push(view.next(output.next));
    return lines.join("\n");
  },
});

async function readTasks(ctx: OperationContext, refs: readonly string[]): Promise<Task[]> {
  const tasks = [];
  for (const ref of refs) tasks.push(await getTask(ctx, ref));
  const closed = tasks.find((task) => task.status === "closed");
  if (closed)
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `${closed.key} is closed already.`,
      hint("task_reopen", "opens it again"),
    );
  if (new Set(tasks.map((task) => task.key)).size !== tasks.length)
    throw new TeamwrightError("INVALID_INPUT", "A task stands there twice.", hint("unit_plan", "with each task once"));
  return tasks;
}

async function plannedTask(ctx: OperationContext, task: Task): Promise<PlannedTask> {
  const edges = await edgesFrom(ctx.db, task.id, "blocks");
  return {
    key: task.key,
    title: task.title,
    kind: task.kind,
    labels: await labelsOfTask(ctx.db, task.id),
    scope: task.scope,
    acceptance: task.acceptance ?? "",
    waitsFor: edges.map((edge) => edge.target_key),
  };
}

/** Other tasks of the run's open units: what is added may wait for them, and must not meet them in a file. */
async function tasksInRun(ctx: OperationContext, run: RunRow, added: readonly Task[]): Promise<InRun[]> {
  const inRun: InRun[] = [];
  for (const { task_id, stage, phase } of await unitsOfRun(ctx.db, run.id)) {
    if (!isOpen(phase) || added.some(({ id }) => id === Number(task_id))) continue;
    const task = await findTaskById(ctx.db, Number(task_id));
    if (task) inRun.push({ ...(await plannedTask(ctx, task)), stage, isBegun: phase !== "planned" });
  }
  return inRun;
}

/** A need that names something else would count for nothing, and the verdict be another than was asked for. */
function checkNeeds(tasks: readonly PlannedTask[], needs: readonly InformationNeed[]): void {
  const isPlanned = (key: string) => tasks.some((task) => task.key === key);
  const odd = needs.filter(({ from, to }) => from === to || !isPlanned(from) || !isPlanned(to));
  if (odd.length === 0) return;
  throw new TeamwrightError(
    "INVALID_INPUT",
    "A need is between two different tasks of the plan.",
    hint("unit_plan", "with both of them in tasks; who waits for a finished result is told by task_link"),
    odd.map(({ from, to }) => plainLine(`${from} needs ${to}`, 300)),
  );
}

/** Keys by stage; none in one that is of units the run has already. */
function groupByStage(stages: ReadonlyMap<string, number>): string[][] {
  const groups = Array.from({ length: Math.max(0, ...stages.values()) }, (): string[] => []);
  for (const [key, stage] of stages) groups[stage - 1]?.push(key);
  return groups;
}

/** A missing integration unit is advice unless the project is strict; the rest would make the loop pointless. */
function refuseIfNeeded(ctx: OperationContext, problems: readonly PlanProblem[]): void {
  const strict = ctx.config.task_quality === "strict";
  const grave = problems.filter((problem) => strict || problem.problem !== "no_integration");
  if (grave.length === 0) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    "The plan cannot be started as it is.",
    hint("task_update", "gives acceptance and scope; task_link lets one wait for another"),
    grave.map((problem) => problem.text),
  );
}

async function refuseOpenUnits(ctx: OperationContext, tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) {
    const unit = await openUnitOf(ctx.db, task.id);
    if (unit)
      throw new TeamwrightError(
        "CONFLICT",
        `${task.key} is in work unit ${unit.key} already.`,
        hint("unit_show", "shows it"),
      );
  }
}

async function startRun(
  ctx: OperationContext,
  plan: {
    about?: string | undefined;
    level?: "swarm" | "issue" | "review" | undefined;
    verdict: EntryVerdict;
    reason: string;
    pairs: number;
    mode: string;
    modeReason: string;
    first: Task | undefined;
  },
): Promise<RunRow> {
  const level = plan.level ?? "issue";
  const all = await openRuns(ctx.db);
  const open = all.filter((run) => (run.level === "swarm") === (level === "swarm")); // an initiative is no issue of its own
  if (open.length >= ctx.config.units.runs) {
    throw new TeamwrightError(
      "OVER_LIMIT",
      `${open.length} runs are open; the limit is ${ctx.config.units.runs}.`,
      hint("unit_end", "ends one that is over"),
      open.map((run) => `${run.key} ${run.name}`),
    );
  }
  const above = level === "swarm" ? undefined : all.find((run) => run.level === "swarm");
  const draft = {
    name: runName(level, plan.about ?? plan.first?.title ?? ""),
    level,
    session: ctx.principal.session ?? null,
    lead: ctx.principal.key,
    mode: plan.mode,
    mode_reason: plan.modeReason,
    verdict: plan.verdict,
    verdict_reason: plan.reason,
    pairs: plan.pairs,
    phase_gate: ctx.config.units.phase_gate,
  };
  return insertRun(ctx, draft, above);
}
