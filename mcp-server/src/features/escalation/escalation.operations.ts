import * as z from "zod";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation } from "../../kernel/operation.ts";
import * as fields from "../task/task.schema.ts";
import { compact } from "../task/task.view.ts";
import { freezeForOverride, insertOverride } from "../unit/override.store.ts";
import { aboutOf } from "./about.store.ts";
import { aboutRef, decisions, escalatedOperations, levels, shownEscalation } from "./escalation.schema.ts";
import { getEscalation, listEscalations, raiseEscalation, resolveEscalation } from "./escalation.store.ts";
import { howToDecide, renderEscalation, toShownEscalation } from "./escalation.view.ts";

export const escalationRaise = defineOperation({
  name: "escalation_raise",
  description:
    "Escalate what you cannot settle, one level up: coordinator, orchestrator, human. Raised again, it climbs.",
  kind: "write",
  mcp: "all",
  positional: ["reason"],
  input: z.strictObject({
    reason: fields.reason,
    about: aboutRef.optional().describe("Unit or task id; default yours."),
    operation: z.enum(escalatedOperations).optional(),
    excerpt: fields.longText.optional(),
  }),
  output: z.object({ escalation: shownEscalation, next: z.array(z.string()) }),
  async run(ctx, { reason, about, operation = "other", excerpt }) {
    const row = await raiseEscalation(ctx, { ...(await aboutOf(ctx, about)), operation, reason, excerpt });
    return { escalation: toShownEscalation(row, ctx.config, false), next: ["brief_show", "task_update"] };
  },
  render: (output, view) => [renderEscalation(output.escalation, view), view.next(output.next)].join("\n"),
});

const escalationRef = z.string().trim().min(1).max(64).describe("Escalation id.");

export const escalationResolve = defineOperation({
  name: "escalation_resolve",
  description: "Settle escalations below human level.",
  details:
    "Those of human level are settled by a person alone, and nobody settles their own. `override` goes on (of a gate: with what the unit's tree holds now, and nothing later), `defer` puts off, `revise` changes the task, `cancel` gives it up, `retry` grants one attempt more.",
  kind: "batch", // what an override takes as it is, git says outside any transaction
  mcp: "all",
  positional: ["id"],
  input: z.strictObject({
    id: z.string().trim().min(1).max(64),
    decision: z.enum(decisions),
    note: fields.reason,
  }),
  output: z.object({ escalation: shownEscalation }),
  async run(ctx, { id, decision, note }) {
    const open = await getEscalation(ctx.db, id);
    const isOverride = decision === "override" && open.operation === "gate" && ctx.principal.kind === "human";
    const taken = isOverride && open.unit_key !== null ? await freezeForOverride(ctx, open.unit_key) : undefined;
    const row = await ctx.transaction(async (trx) => {
      const resolved = await resolveEscalation(trx, open.key, { decision, resolution: note });
      if (taken) await insertOverride(trx, resolved.key, taken);
      return resolved;
    });
    return { escalation: toShownEscalation(row, ctx.config, false) };
  },
  render: (output, view) => renderEscalation(output.escalation, view),
});

export const escalationList = defineOperation({
  name: "escalation_list",
  description:
    "Escalations that are open, those for a human first; one with every attempt, raise and decision by its id.",
  kind: "read",
  mcp: "none",
  positional: ["id"],
  input: z.strictObject({
    id: escalationRef.optional().describe("Shows one with its whole history."),
    status: z.enum(["open", "resolved", "all"]).optional().describe("open by default."),
    level: z.enum(levels).optional(),
    limit: z.number().int().min(1).max(1000).optional(),
  }),
  output: z.object({ total: z.number(), escalations: z.array(shownEscalation), truncated: z.boolean().optional() }),
  async run(ctx, { id, status = "open", level, limit = 100 }) {
    if (id !== undefined) {
      const row = await getEscalation(ctx.db, id);
      return { total: 1, escalations: [toShownEscalation(row, ctx.config, true)] };
    }
    const filter = { status: status === "all" ? undefined : status, level, limit };
    const { rows, total } = await listEscalations(ctx.db, filter);
    const escalations = rows.map((row) => toShownEscalation(row, ctx.config, false));
    return compact({ total, escalations, truncated: rows.length < total || undefined });
  },
  render(output, view) {
    const [first] = output.escalations;
    if (!first) return "Nothing is escalated.";
    if (first.history !== undefined) return renderEscalation(first, view);
    const rows = output.escalations.map((row) => [
      view.paint("cyan", row.id),
      row.status === "open" ? view.paint("yellow", row.level) : row.status,
      row.operation,
      row.about,
      plainLine(row.text, 60),
      plainLine(row.by, 30),
    ]);
    const table = view.table(["id", "level", "operation", "about", "reason", "by"], rows);
    const person = output.escalations.find(({ status, level }) => status === "open" && level === "human");
    const how = person ? `\n${howToDecide(person.id)}` : "";
    return `${table}${output.truncated ? `\n${rows.length} of ${output.total} shown` : ""}${how}`;
  },
});
