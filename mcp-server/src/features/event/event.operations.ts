import * as z from "zod";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { lastSeq, listEventsAfter } from "./event.store.ts";

const event = z.object({
  seq: z.number(),
  at: z.string(),
  type: z.string(),
  operation: z.string(),
  subject: z.string().optional(),
  team: z.string().optional(),
  by: z.string(),
  kind: z.string(),
  before: z.record(z.string(), z.unknown()).optional(),
  after: z.record(z.string(), z.unknown()).optional(),
});

export const eventList = defineOperation({
  name: "event_list",
  description:
    "Events: the audit trail and change feed, oldest first, after a sequence number, with who did it and the values before and after. Pass the returned cursor to go on; without after the newest are shown.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({
    after: z.number().int().min(0).optional().describe("Sequence number of the last event already seen."),
    limit: z.number().int().min(1).max(5000).optional().describe("20 by default."),
    wait_seconds: z
      .number()
      .min(0)
      .max(60)
      .optional()
      .describe("Wait this long for the next event when there is none yet."),
  }),
  output: z.object({ cursor: z.number(), last: z.number(), events: z.array(event) }),
  async run(ctx, input) {
    const limit = input.limit ?? 20;
    const last = await lastSeq(ctx.db);
    const after = input.after ?? Math.max(0, last - limit);
    const rows = await nextEvents(ctx, after, limit, (input.wait_seconds ?? 0) * 1000);
    const events = rows
      .filter((row) => ctx.principal.team === undefined || row.team === null || row.team === ctx.principal.team)
      .map((row) => ({
        seq: Number(row.seq),
        at: new Date(row.at).toISOString(),
        type: row.type,
        operation: row.operation,
        by: row.actor_name,
        kind: row.actor_kind,
        ...(row.subject === null ? {} : { subject: row.subject }),
        ...(row.team === null ? {} : { team: row.team }),
        ...(row.before === null ? {} : { before: JSON.parse(row.before) }),
        ...(row.after === null ? {} : { after: JSON.parse(row.after) }),
      }));
    return { cursor: Number(rows.at(-1)?.seq ?? after), last, events };
  },
  render: (output, view) =>
    output.events
      .map(
        (item) =>
          `${String(item.seq).padStart(6)}  ${item.at.slice(0, 19)}  ${view.paint("cyan", item.type.padEnd(20))} ${item.subject ?? ""} ${view.paint("dim", `by ${plainLine(item.by, 30)}`)}`,
      )
      .join("\n"),
});

const LOOK_EVERY_MS = 1000;

/** Events after the cursor; waits for some if asked. A change notice only shortens the wait: looking is the truth. */
async function nextEvents(ctx: OperationContext, after: number, limit: number, waitMs: number) {
  const deadline = performance.now() + waitMs;
  let wake = () => {};
  const stop = waitMs > 0 ? ctx.dialect.watch(() => wake()) : () => {};
  try {
    for (;;) {
      const rows = await listEventsAfter(ctx.db, after, limit);
      const left = deadline - performance.now();
      if (rows.length > 0 || left <= 0) return rows;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, LOOK_EVERY_MS));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    stop();
  }
}
