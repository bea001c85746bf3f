import type { OperationContext } from "../../kernel/operation.ts";
import { type DependencyType, holdsTaskBack } from "../dependency/dependency.rules.ts";
import { type DependencyRow, resolveDependencyRow, setNeededTask } from "../dependency/dependency.store.ts";
import { findWaitCircle } from "./circle.store.ts";
import { shift } from "./graph.store.ts";
import type { Task } from "./task.schema.ts";

/**
 * Names the task that delivers an open need of another team: the need resolves when that closes, and at once when it is
 * closed already (requirement DE-06). Gives the circle of tasks it would close, and then changes nothing.
 */
export async function nameDelivery(
  ctx: OperationContext,
  need: DependencyRow,
  { waiting, needed }: { readonly waiting: Task; readonly needed: Task },
): Promise<string | undefined> {
  const holds = holdsTaskBack(need.type as DependencyType); // written by insertDependency only
  const circle = holds && needed.status !== "closed" ? await findWaitCircle(ctx, waiting, needed) : false;
  if (circle !== false) return circle;
  await setNeededTask(ctx, Number(need.id), { needed_task_id: needed.id, needs_team: needed.team });
  ctx.record({
    type: "dependency.linked",
    subject: need.key,
    team: need.team,
    after: { task: waiting.key, needed_task: needed.key, needs_team: needed.team },
  });
  if (needed.status !== "closed") return undefined;
  await resolveDependencyRow(ctx, Number(need.id), `${needed.key} closed`);
  if (need.blocking === 1) await shift(ctx, waiting.id, { openBlockers: -1 });
  return undefined;
}
