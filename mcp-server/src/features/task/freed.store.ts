import type { OperationContext } from "../../kernel/operation.ts";
import type { TaskBrief } from "./task.schema.ts";
import { getTask } from "./task.store.ts";
import { toBrief } from "./task.view.ts";

const MOST = 20;

/** Tasks that this very transaction made ready, as noted by the graph, without the one that was changed itself. */
export async function becameReady(ctx: OperationContext, changed?: string): Promise<TaskBrief[] | undefined> {
  const keys = ctx.effects.events.filter((event) => event.type === "task.ready").map((event) => event.subject ?? "");
  const tasks = [];
  for (const key of new Set(keys)) {
    if (key === changed) continue;
    const task = await getTask(ctx, key);
    if (task.readyPrio !== null) tasks.push(toBrief(task));
    if (tasks.length === MOST) break;
  }
  return tasks.length > 0 ? tasks : undefined;
}
