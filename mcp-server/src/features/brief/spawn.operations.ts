import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { activeRun, changeRun, checkLeads } from "../run/run.store.ts";
import * as fields from "../task/task.schema.ts";
import { getTask } from "../task/task.store.ts";
import { compact } from "../task/task.view.ts";
import { checkOwnTeam } from "../team/team.rules.ts";
import { fitSections } from "./context.rules.ts";
import { knowledgeSections, taskSections, workOf } from "./context.store.ts";
import { alwaysOpus, chooseModel, estimateCost, scoresOf, spawnLine } from "./model.rules.ts";
import { briefMark, briefSections, checkAcknowledgement } from "./spawn.rules.ts";
import { insertPlan } from "./spawn-plan.store.ts";

const part = z.number().int().min(0).max(2).optional();
const count = z.number().int().min(0).max(100_000).optional();

/** Scores and counts together: whichever the caller knows. */
const complexity = z
  .strictObject({
    ambiguity: part,
    integration: part,
    novelty: part,
    risk: part,
    scale: part,
    touchpoints: count,
    files: count,
    multi_service: z.boolean().optional(),
    always: z.array(z.enum(alwaysOpus)).optional(),
  })
  .meta({
    description: "How hard the task is: scores of 0–2, or counts.",
    brief: `ambiguity, integration, novelty, risk, scale, 0–2 each; counts touchpoints and files may stand for integration and scale; multi_service; always: list of ${alwaysOpus.join("|")}`,
  });

export const briefSpawn = defineOperation({
  name: "brief_spawn",
  description:
    "Before you spawn an agent: score its task's complexity, get the model, a cost estimate, the line to log and a brief for the prompt. In a run the guard sets that model.",
  kind: "write",
  mcp: "all",
  positional: ["task"],
  input: z.strictObject({
    task: fields.taskRef.optional(),
    name: z.string().min(1).max(64).optional().describe("Agent to be."),
    complexity: complexity.optional(),
    acknowledge: fields.reason.optional().describe("Reason for more spawns after the pause."),
  }),
  output: z.object({
    task: z.string().optional(),
    plan: z.string().optional(),
    score: z.number().optional(),
    model: z.string().optional(),
    profile: z.string().optional(),
    reason: z.string().optional(),
    estimate: z.object({ cost_micro_usd: z.number(), prices_as_of: z.string(), prices_source: z.string() }).optional(),
    log: z.string().optional(),
    brief: z.string().optional(),
    brief_tokens: z.number().optional(),
    left_out: z.array(z.string()).optional(),
    acknowledged: z.string().optional(),
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    if (input.acknowledge !== undefined) await acknowledge(ctx, input.acknowledge);
    if (input.task === undefined) {
      if (input.acknowledge !== undefined) return { acknowledged: input.acknowledge, next: ["brief_spawn"] };
      throw new TeamwrightError("INVALID_INPUT", "Name the task.", hint("task_list", "shows the tasks"));
    }
    const task = await getTask(ctx, input.task);
    checkOwnTeam(ctx.principal, task.team);
    if (task.status === "closed") {
      throw new TeamwrightError(
        "RULE_VIOLATED",
        `${task.key} is closed; nobody is started for it.`,
        hint("task_reopen", "opens it again"),
      );
    }
    const scores = scoresOf(input.complexity ?? {});
    const always = [...new Set(input.complexity?.always ?? [])];
    const { prices, unclear_is_opus: unclearIsOpus } = ctx.config.models;
    const choice = chooseModel(scores, always, { unclearIsOpus });
    const cost = estimateCost(choice.score, prices[choice.model]);
    const run = ctx.principal.session === undefined ? undefined : await activeRun(ctx.db, ctx.principal.session);
    const plan = await insertPlan(ctx, { task, run, scores, always, choice, cost });
    const agent = input.name ?? task.assignee ?? task.key;
    const brief = fitSections(
      briefSections({
        mark: briefMark(task.key, plan.key),
        taskKey: task.key,
        team: task.team,
        agent: input.name ?? task.assignee ?? undefined,
        scope: task.scope,
        gates: (ctx.config.gates ?? []).map((gate) => gate.name),
        task: await taskSections(ctx, task),
        knowledge: await knowledgeSections(ctx, { ...ctx.principal, team: task.team }, workOf(task)),
      }),
      ctx.config.context.budget_tokens,
    );
    return compact({
      task: task.key,
      plan: plan.key,
      score: choice.score,
      model: choice.model,
      profile: choice.profile,
      reason: choice.reason,
      estimate: { cost_micro_usd: cost, prices_as_of: prices.as_of, prices_source: prices.source },
      log: spawnLine({ agent: plainLine(agent, 64), model: choice.model, score: choice.score, cost }),
      brief: brief.text,
      brief_tokens: brief.tokens,
      left_out: brief.leftOut.length > 0 ? [...brief.leftOut] : undefined,
      acknowledged: input.acknowledge,
      next: ["task_show"],
    });
  },
  render(output, view) {
    const lines = output.acknowledged === undefined ? [] : ["Acknowledged: the run may start more agents."];
    if (output.log !== undefined) {
      lines.push(
        output.log,
        `${output.model} because: ${output.reason}. Estimate by prices of ${output.estimate?.prices_as_of}; plan ${output.plan}.`,
        `Brief for the prompt (${output.brief_tokens} tokens); naming ${output.task} in the prompt is enough where the agent is told at its start:`,
        output.brief ?? "",
      );
    } else lines.push(view.next(output.next));
    return lines.join("\n");
  },
});

async function acknowledge(ctx: OperationContext, reason: string): Promise<void> {
  const { session } = ctx.principal;
  const run = session === undefined ? undefined : await activeRun(ctx.db, session);
  checkAcknowledgement(reason, run, ctx.config.limits.spawns);
  if (!run) return;
  await checkLeads(ctx, run);
  await changeRun(ctx, run.id, { spawn_ack: reason });
  ctx.record({ type: "run.spawns_acknowledged", subject: run.key, after: { spawns: run.spawns, reason } });
}
