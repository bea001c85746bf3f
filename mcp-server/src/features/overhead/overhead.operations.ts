import * as z from "zod";
import { defineOperation } from "../../kernel/operation.ts";
import { overheadReport as reportSchema } from "./overhead.schema.ts";
import { overheadReport } from "./overhead.store.ts";

export const overheadShow = defineOperation({
  name: "overhead_show",
  description:
    "Overhead budget: the time that coordination, distribution and check-ins may take and have taken, step by step, with timeouts and overrun.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({}),
  output: z.object({ overhead_budget: reportSchema }),
  run: async (ctx) => ({ overhead_budget: await overheadReport(ctx.db, ctx.config, ctx.now) }),
  render({ overhead_budget: report }, view) {
    const rows = report.steps.map((step) => [
      String(step.sprint),
      step.step,
      step.team ?? "",
      `${step.elapsed} s`,
      `${step.timeout} s`,
      step.timed_out ? view.paint("yellow", "timed out") : step.running ? "running" : "done",
    ]);
    const overrun = report.overrun_seconds > 0 ? `, ${view.paint("red", `${report.overrun_seconds} s beyond`)}` : "";
    return [
      `Overhead: ${report.spent_seconds} s of ${report.total_budget_seconds} s spent, ${report.remaining_seconds} s remain${overrun}.`,
      ...(rows.length > 0 ? [view.table(["sprint", "step", "team", "took", "box", ""], rows)] : []),
    ].join("\n");
  },
});
