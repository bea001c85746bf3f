import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { changesNothing } from "../agent/agent.rules.ts";
import { fullTeams } from "../board/board.store.ts";
import { scopeInTheWay } from "../file/file.store.ts";
import { checkOwnTeam, teamInView } from "../team/team.rules.ts";
import { openUnitOf } from "../unit/unit.store.ts";
import { checkClaimable, checkHandsFree, grantClaim } from "./claim.store.ts";
import { listReady, pickReady, type ReadyFilter } from "./ready.store.ts";
import { nextOperations } from "./task.rules.ts";
import type { Task } from "./task.schema.ts";
import * as fields from "./task.schema.ts";
import { lockTask } from "./task.store.ts";
import { renderFull, toFull } from "./task.view.ts";

export const taskClaim = defineOperation({
  name: "task_claim",
  description:
    "Claim a task to work on: an id, or without one the next ready task of your team. Exactly one claimant wins; your activity keeps the lease. Returns the task in full and its fencing number; empty when nothing is ready.",
  kind: "write",
  mcp: "core",
  listedFields: ["id", "team", "labels"],
  coreFields: ["id", "team"],
  positional: ["id"],
  input: z.strictObject({
    id: fields.taskRef.optional(),
    team: fields.teamId.optional(),
    labels: fields.labels.optional().describe("All of these."),
    any_labels: fields.labels.optional().describe("Any of these."),
    kind: fields.kind.optional(),
  }),
  output: z.object({
    task: fields.taskFull.optional(),
    fence: z.number().optional(),
    files_taken: z.array(z.string()).optional(),
    waiting_on_you: z.array(z.string()).optional(),
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    await ctx.dialect.lockName(ctx.db, `holder:${ctx.principal.key}`);
    const team = teamInView(ctx.config, ctx.principal, input.team);
    if (input.id !== undefined && (input.team ?? input.labels ?? input.any_labels ?? input.kind) !== undefined) {
      throw new TeamwrightError(
        "INVALID_INPUT",
        "An id leaves nothing to filter.",
        hint("task_claim", "with id, or with filters"),
      );
    }
    if (input.id !== undefined) {
      const task = await lockTask(ctx, input.id);
      checkOwnTeam(ctx.principal, task.team);
      if (task.holder === ctx.principal.key && task.status === "in_progress") return claimed(ctx, task);
      await checkClaimable(ctx, task);
      await checkHandsFree(ctx, task.team);
      return claimed(ctx, await grantClaim(ctx, task));
    }
    await checkHandsFree(ctx);
    const filter = {
      team,
      labels: input.labels,
      anyLabels: input.any_labels,
      kind: input.kind,
      forName: ctx.principal.name,
    };
    // whoever works for several teams looks where there is room; with none anywhere the limit refuses
    const exceptTeams = team === undefined ? await fullTeams(ctx) : [];
    const roomy = await pickFree(ctx, { ...filter, exceptTeams });
    const { task, taken } = roomy.task || exceptTeams.length === 0 ? roomy : await pickFree(ctx, filter);
    if (!task) return { ...(taken.length > 0 ? { files_taken: taken } : {}), next: ["task_ready", "brief_show"] };
    return claimed(ctx, await grantClaim(ctx, task));
  },
  render(output, view) {
    if (!output.task)
      return [`Nothing is ready to claim.`, ...(output.files_taken ?? []), view.next(output.next)].join("\n");
    return `${view.paint("green", "Claimed")} (fencing number ${output.fence})\n${renderFull(output.task, view)}\n${view.next(output.next)}`;
  },
});

/** Ready tasks looked at for one whose files nobody has on lease. */
const MAX_PASSED = 50;

/**
 * The first ready task whose files are free and for the caller's role; `taken` says why others were passed over. What is
 * picked is locked until the commit and so unseen by rivals: what a role cannot do is never picked for it.
 */
async function pickFree(ctx: OperationContext, asked: ReadyFilter): Promise<{ task?: Task; taken: string[] }> {
  const withoutFiles = changesNothing(ctx.principal.role);
  const filter = { ...asked, withoutFiles };
  const except: number[] = [];
  const taken: string[] = [];
  while (except.length < MAX_PASSED) {
    const task = await pickReady(ctx, except.length > 0 ? { ...filter, except } : filter);
    if (!task) break;
    const lease = await scopeInTheWay(ctx, task);
    if (!lease) return { task, taken };
    except.push(task.id);
    taken.push(`${task.key} waits for files that ${plainLine(lease.holderName, 60)} has leased for ${lease.task}.`);
  }
  const others = withoutFiles ? await listReady(ctx.db, asked, MAX_PASSED) : [];
  const role = ctx.principal.role;
  const why = `changes files, and a ${role} has no tool for that; by its id it can be taken.`;
  return { taken: [...taken, ...others.map(({ id }) => `${id} ${why}`)] };
}

async function claimed(ctx: OperationContext, task: Task) {
  const unit = await openUnitOf(ctx.db, task.id);
  const next = unit ? ["unit_submit", "task_update"] : nextOperations(task, ctx.principal);
  return { task: await toFull(ctx.db, task, ctx.now), fence: task.fence, next };
}
