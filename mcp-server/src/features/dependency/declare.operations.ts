import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { directsWork } from "../../kernel/principal.ts";
import { tellNeeded, tellWaiting } from "../message/need-message.store.ts";
import { findWaitCircle } from "../task/circle.store.ts";
import { nameDelivery } from "../task/deliver.store.ts";
import { shift } from "../task/graph.store.ts";
import { checkMayChange } from "../task/task.rules.ts";
import type { Task } from "../task/task.schema.ts";
import * as fields from "../task/task.schema.ts";
import { lockTask } from "../task/task.store.ts";
import { compact } from "../task/task.view.ts";
import { checkOwnTeam, checkTeam } from "../team/team.rules.ts";
import { dependencyTypes, holdsTaskBack } from "./dependency.rules.ts";
import { shownCircle, shownNeed } from "./dependency.schema.ts";
import {
  type DependencyRow,
  dependenciesOf,
  getDependency,
  insertDependency,
  resolveDependencyRow,
} from "./dependency.store.ts";
import { describeNeed, renderCircles, toShownNeed } from "./dependency.view.ts";
import { circlesNow } from "./wait-circle.store.ts";

const input = z.strictObject({
  task: fields.taskRef.describe("The task that waits."),
  needs_team: fields.teamId.describe("The team waited for."),
  type: z.enum(dependencyTypes).optional().describe("blocks by default; shared_component holds nothing back."),
  needed_task: fields.taskRef.optional().describe("Their task that delivers it."),
  note: fields.reason.optional(),
});
type Wish = z.infer<typeof input>;

export const dependencyDeclare = defineOperation({
  name: "dependency_declare",
  description:
    "Declare a cross-team dependency: your task needs something of another team, best with the task that will deliver it. It resolves by itself when that task closes. Names wait circles.",
  details:
    "Where a need is open without a task that delivers it, the same call with `needed_task` names that task, and the team that is needed may make it, too. Both teams hear of it on their channels.",
  kind: "write",
  mcp: "all",
  positional: ["task", "needs_team"],
  input,
  output: z.object({ dependency: shownNeed, circles: z.array(shownCircle).optional(), next: z.array(z.string()) }),
  async run(ctx, wish) {
    checkTeam(ctx.config, wish.needs_team);
    const waiting = await lockTask(ctx, wish.task);
    const open = (await dependenciesOf(ctx.db, waiting.id)).filter((row) => isAbout(row, waiting.id, wish));
    const unnamed = wish.needed_task === undefined ? undefined : open.find((row) => row.needed_task_id === null);
    checkMayDeclare(ctx, waiting, wish, unnamed !== undefined);
    const needed = wish.needed_task === undefined ? undefined : await lockTask(ctx, wish.needed_task);
    checkDelivers(needed, wish.needs_team);
    const same = open.find((row) => isSame(row, needed?.id, wish.type ?? "blocks"));
    if (same) return { dependency: toShownNeed(same), next: NEXT };
    const key =
      unnamed && needed ? await link(ctx, unnamed, waiting, needed) : await declare(ctx, waiting, needed, wish);
    const dependency = toShownNeed(await getDependency(ctx, key));
    const circles = (await circlesNow(ctx)).filter(({ teams }) => teams.includes(waiting.team));
    if (dependency.status === "open") {
      if (unnamed) await tellWaiting(ctx, dependency);
      else await tellNeeded(ctx, dependency);
    }
    return compact({ dependency, circles: circles.length > 0 ? circles : undefined, next: NEXT });
  },
  render: (output, view) =>
    [
      `${view.paint("green", "Declared")} ${describeNeed(output.dependency, view)}`,
      ...renderCircles(output.circles, view),
      view.next(output.next),
    ].join("\n"),
});

const NEXT = ["dependency_list", "task_show"];

/** Open, of this task and this team, and of the type that is meant, if one is. */
function isAbout(row: DependencyRow, waiting: number, { needs_team, type }: Wish): boolean {
  const isOpen = row.status === "open" && Number(row.task_id) === waiting;
  return isOpen && row.needs_team === needs_team && (type === undefined || row.type === type);
}

/** Declaring twice is one need: two rows would both have to be resolved. */
function isSame(row: DependencyRow, needed: number | undefined, type: string): boolean {
  return row.type === type && (row.needed_task_id === null ? undefined : Number(row.needed_task_id)) === needed;
}

/** The waiting task's own people declare; which task delivers it, the needed team knows as well. */
function checkMayDeclare({ principal }: OperationContext, waiting: Task, wish: Wish, isAnswer: boolean): void {
  const delivers = isAnswer && !directsWork(principal) && principal.team === wish.needs_team;
  if (!delivers) {
    checkOwnTeam(principal, waiting.team);
    checkMayChange(waiting, principal);
  }
  if (waiting.status === "closed")
    throw new TeamwrightError("RULE_VIOLATED", `${waiting.key} is closed.`, hint("task_reopen", "opens it again"));
  if (waiting.team === wish.needs_team)
    throw new TeamwrightError(
      "INVALID_INPUT",
      `${waiting.key} is ${wish.needs_team}'s own.`,
      hint("task_link", "orders tasks of one team"),
    );
}

function checkDelivers(needed: Task | undefined, team: string): void {
  if (!needed || needed.team === team) return;
  throw new TeamwrightError(
    "INVALID_INPUT",
    `${needed.key} belongs to team ${needed.team}, not ${team}.`,
    hint("dependency_declare", "with the right team"),
  );
}

function closesCircle(circle: string): TeamwrightError {
  return new TeamwrightError(
    "RULE_VIOLATED",
    `The teams would wait for each other: ${circle}.`,
    hint("dependency_list", "shows who waits for whom"),
  );
}

async function link(ctx: OperationContext, need: DependencyRow, waiting: Task, needed: Task): Promise<string> {
  const circle = await nameDelivery(ctx, need, { waiting, needed });
  if (circle !== undefined) throw closesCircle(circle);
  return need.key;
}

async function declare(ctx: OperationContext, waiting: Task, needed: Task | undefined, wish: Wish): Promise<string> {
  const type = wish.type ?? "blocks";
  const circle = needed ? await findWaitCircle(ctx, waiting, needed) : false;
  if (circle !== false && holdsTaskBack(type)) throw closesCircle(circle);
  const key = ctx.newKey("dep");
  const settled = needed?.status === "closed";
  const blocking = holdsTaskBack(type) && !settled ? 1 : 0;
  await insertDependency(ctx, {
    key,
    task_id: waiting.id,
    team: waiting.team,
    needs_team: wish.needs_team,
    type,
    needed_task_id: needed?.id ?? null,
    note: wish.note ?? null,
    blocking,
  });
  ctx.record({
    type: "dependency.declared",
    subject: key,
    team: waiting.team,
    after: compact({ task: waiting.key, needs_team: wish.needs_team, type, needed_task: needed?.key }),
  });
  if (settled && needed)
    await resolveDependencyRow(ctx, Number((await getDependency(ctx, key)).id), `${needed.key} closed`);
  else if (blocking === 1) await shift(ctx, waiting.id, { openBlockers: 1 });
  return key;
}
