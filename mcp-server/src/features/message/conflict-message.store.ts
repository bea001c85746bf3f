import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import { recordConflicts, type TeamConflict } from "../task/overlap.store.ts";
import { insertMessage } from "./message.store.ts";

/** Tasks of two teams that may write the same files are told to all teams, before anybody writes (DE-07, MB-06). */
export async function tellConflicts(ctx: OperationContext, conflicts: readonly TeamConflict[]): Promise<void> {
  if (conflicts.length === 0) return;
  recordConflicts(ctx, conflicts);
  const lines = conflicts.map(
    ({ task, other, glob }) =>
      `CONFLICT: ${task.key} of ${task.team} and ${other.key} of ${other.team} may both write ${plainLine(glob, 160)}`,
  );
  const text = [
    `[WHAT] Tasks of different teams may write the same files (${conflicts.length}).`,
    "[DETAIL]",
    ...lines,
    "[ACTION] Their leads agree on one that comes first: dependency_declare puts the other behind it. Where ownership is watched, the second to claim waits for the first.",
  ].join("\n");
  const { session } = ctx.principal;
  const sender = session === undefined ? systemPrincipal : { ...systemPrincipal, session };
  await insertMessage(ctx, { kind: "INTERFACE-CHANGE", sender, channel: "portfolio", text });
}
