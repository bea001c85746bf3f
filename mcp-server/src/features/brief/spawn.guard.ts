import { experimentSession } from "../../kernel/child-environment.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { GuardContext, GuardRule, Verdict } from "../../kernel/guard-rule.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { textOf } from "../../kernel/records.ts";
import { changesNothing, roleOf } from "../agent/agent.rules.ts";
import { openTaskIn } from "../agent/agent.store.ts";
import { teamOf } from "../agent/placement.store.ts";
import { partOfDefinition } from "../coordination/coordination.rules.ts";
import { activeRun } from "../run/run.store.ts";
import { spawnLine } from "./model.rules.ts";
import { briefMark, judgeSpawn, placedCall } from "./spawn.rules.ts";
import { atWork, countSpawn, isCounted, isReviewer, planOf } from "./spawn-plan.store.ts";

/**
 * Within a run: no agent without a task, no more than the limits allow, and the model that the task's score asks for.
 * It counts, so it stands behind all rules that may refuse the same call.
 */
export function spawnLimitsGuard(): GuardRule {
  return {
    name: "spawn-limits",
    promise:
      "A run starts no agent without a task, none beyond its limits, and each with the model its score asks for.",
    failsClosed: true,
    beforeTool: {
      tools: /^(Agent|Task)$/,
      async decide({ call, runtime, write }) {
        const elsewhere = await worksElsewhere(runtime, textOf(call.toolInput.name));
        if (elsewhere !== undefined) return elsewhere;
        const definition = textOf(call.toolInput.subagent_type);
        if (isReviewer(definition) || partOfDefinition(definition) !== undefined) return undefined;
        if (!(await activeRun(runtime.store.db, call.session))) return undefined;
        return write("guard_spawn_limits", (ctx) => decideSpawn(ctx, call));
      },
    },
  };
}

/** An agent is in one team at a time, and a team of an experiment has one session: nobody starts another team's. */
async function worksElsewhere({ store, config }: GuardContext["runtime"], name: string): Promise<Verdict | undefined> {
  const own = experimentSession()?.team;
  const team = own === undefined || name === "" ? undefined : await teamOf(store.db, config, name);
  if (team === undefined || team === own) return undefined;
  return {
    refusal: `${plainLine(name)} works in team ${team}, and this is the session of ${own}; dependency_declare asks another team for something.`,
  };
}

async function decideSpawn(ctx: OperationContext, call: GuardContext["call"]): Promise<Verdict | undefined> {
  await ctx.dialect.lockName(ctx.db, "run-spawns"); // several calls of one message are asked about at once
  const run = await activeRun(ctx.db, call.session);
  if (!run) return undefined;
  const { limits, spawn_exceptions: exceptions, models } = ctx.config;
  const prompt = textOf(call.toolInput.prompt);
  const taskKey = await openTaskIn(ctx.db, `${textOf(call.toolInput.description)}\n${prompt}`);
  const role = roleOf(textOf(call.toolInput.subagent_type)) ?? "general-purpose";
  const given = textOf(call.toolInput.model) || null;
  const plan = taskKey === null ? undefined : await planOf(ctx.db, taskKey);
  let advice: string | undefined;
  if (!(await isCounted(ctx.db, call.toolUseId))) {
    const verdict = judgeSpawn({
      taskKey,
      role,
      exceptions,
      atWork: await atWork(ctx, call.session),
      teammates: limits.teammates,
      spawns: run.spawns,
      free: limits.spawns,
      acknowledged: run.spawn_ack !== null,
      hasPlan: plan !== undefined,
      namesModel: given !== null,
      unscored: models.unscored,
    });
    if (verdict.refusal !== undefined) {
      ctx.record({
        type: "run.spawn_refused",
        subject: run.key,
        after: { role, task: taskKey, reason: verdict.refusal },
      });
      return { refusal: verdict.refusal };
    }
    await countSpawn(ctx, run, {
      tool_use_id: call.toolUseId,
      plan_id: plan?.id ?? null,
      task_key: taskKey,
      exception: taskKey === null ? role : null,
      model: plan?.model ?? given,
      briefed: plan && taskKey !== null && prompt.includes(briefMark(taskKey, plan.key)) ? 1 : 0,
    });
    const agent = textOf(call.toolInput.name) || role;
    ctx.record({
      type: "run.spawned",
      subject: run.key,
      after: {
        n: run.spawns + 1,
        task: taskKey,
        model: plan?.model ?? given,
        ...(taskKey !== null && !plan ? { unscored: true } : {}),
        ...(plan ? { log: spawnLine({ agent, model: plan.model, score: plan.score, cost: plan.cost_micro_usd }) } : {}),
      },
    });
    advice = verdict.advice;
  }
  const { isolation } = ctx.config.units;
  const placed = placedCall(call.toolInput, { isolation, worksOnFiles: taskKey !== null && !changesNothing(role) });
  const input = plan && placed.model !== plan.model ? { ...placed, model: plan.model } : placed;
  if (input === call.toolInput && advice === undefined) return undefined;
  return { ...(input === call.toolInput ? {} : { input }), ...(advice === undefined ? {} : { context: advice }) };
}
