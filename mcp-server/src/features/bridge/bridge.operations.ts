import * as z from "zod";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation } from "../../kernel/operation.ts";
import { missingThere, pairsOf } from "./bridge.store.ts";
import { renderPair, shownPair, toShownPair } from "./bridge.view.ts";

export const bridgeList = defineOperation({
  name: "bridge_list",
  description:
    "List tasks of the client's own list with the durable tasks they stand for, newest first, and where the two differ: open on one side and over on the other, without a counterpart, interrupted between two steps.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({
    differences: z.boolean().optional().describe("Only pairs that differ."),
    limit: z.number().int().min(1).max(500).optional(),
  }),
  output: z.object({
    bridge: z.enum(["on", "off"]),
    total: z.number(),
    differing: z.number(),
    pairs: z.array(shownPair),
    missing: z
      .array(z.object({ task: z.string(), title: z.string() }))
      .describe("Tasks of open units that no client task stands for."),
  }),
  async run(ctx, input) {
    const { session, team } = ctx.principal;
    const filter = { session, team, limit: input.limit ?? 100 };
    const { pairs, total } = await pairsOf(ctx.db, { ...filter, onlyDifferent: input.differences === true });
    const differing = await pairsOf(ctx.db, { ...filter, onlyDifferent: true, limit: 1 });
    const missing = ctx.principal.kind === "agent" ? [] : await missingThere(ctx.db, session);
    return {
      bridge: ctx.config.bridge,
      total,
      differing: differing.total,
      pairs: pairs.map(toShownPair),
      missing: missing.map(({ key, title }) => ({ task: key, title })),
    };
  },
  render(output, view) {
    const lines = output.pairs.map((pair) => renderPair(pair, view));
    if (lines.length === 0) lines.push("No client task is known.");
    for (const { task, title } of output.missing)
      lines.push(`${task} ${plainLine(title, 80)} is not in the client's list: TaskCreate with metadata.teamwright_id`);
    lines.push(`The bridge is ${output.bridge}; ${output.differing} of ${output.total} differ.`);
    return lines.join("\n");
  },
});
