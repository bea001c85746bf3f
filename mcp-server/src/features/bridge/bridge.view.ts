import * as z from "zod";
import { plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import { compact } from "../task/task.view.ts";
import { type Difference, differences } from "./bridge.rules.ts";
import type { Pair } from "./bridge.store.ts";

export const shownPair = z.object({
  client: z.string().describe("Number in the client's list."),
  session: z.string(),
  title: z.string(),
  /** State in the client's list, as last seen. */
  there: z.string(),
  task: z.string().optional(),
  /** State of the durable task. */
  here: z.string().optional(),
  origin: z.string().optional(),
  difference: z.enum(differences).optional(),
});
export type ShownPair = z.infer<typeof shownPair>;

export function toShownPair({ row, status, difference }: Pair): ShownPair {
  return compact({
    client: row.client_id,
    session: row.session,
    title: row.subject,
    there: row.state,
    task: row.task_key ?? undefined,
    here: status ?? undefined,
    origin: row.origin ?? undefined,
    difference,
  }) as ShownPair;
}

const advice: Readonly<Record<Difference, string>> = {
  unlinked: "has no task here yet; it gets one within a minute of work",
  open_there: "is closed here: complete it with TaskUpdate, or task_reopen",
  open_here: "is completed there and open here: task_close closes it",
  unconfirmed: "was being completed when it was last seen: TaskList shows whether it is",
  deleted_there: "was deleted there and is open here: task_close with outcome cancelled, or leave it",
};

export function renderPair(pair: ShownPair, view: RenderView): string {
  const here = pair.task === undefined ? "nothing" : `${pair.task} ${pair.here ?? "gone"}`;
  const line = `${view.paint("cyan", `#${plainLine(pair.client, 20)}`)} ${plainLine(pair.title, 80)}: ${pair.there} there, ${here} here`;
  return pair.difference === undefined ? line : `${line}; ${view.paint("yellow", advice[pair.difference])}`;
}
