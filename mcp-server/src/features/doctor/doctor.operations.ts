import * as z from "zod";
import type { Inspection } from "../../kernel/inspection.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { verifyChain } from "../event/event.store.ts";
import { leaseFaults } from "../file/file.store.ts";
import { examineRules } from "./examine.ts";
import { guardFinding } from "./guard-finding.rules.ts";
import { recountDrift } from "./recount.store.ts";
import { ruleReport } from "./rule.schema.ts";
import { renderRules } from "./rules.view.ts";
import { claimFaults, countExpired, fileProblems } from "./soundness.store.ts";

const finding = z.object({ check: z.string(), ok: z.boolean(), detail: z.string() });

export const doctorCheck = defineOperation({
  name: "doctor_check",
  description:
    "Doctor: try every rule and say which are enforced here, audit only or off; check the store: integrity, hash chain of events, counters, claims. Changes nothing. Not ok when a strict rule does not hold.",
  kind: "read",
  mcp: "all",
  input: z.strictObject({}),
  output: z.object({
    ok: z.boolean(),
    checks: z.array(finding),
    /** Absent where the surface has no rules to show. */
    rules: z.array(ruleReport).optional(),
  }),
  async run(ctx) {
    const checks = [
      await integrity(ctx),
      await chain(ctx),
      ...(await recountDrift(ctx)),
      await leases(ctx),
      await fileLeases(ctx),
      identity(ctx),
    ];
    const inspection = await ctx.inspect?.();
    if (!inspection) return { ok: checks.every((check) => check.ok), checks };
    checks.push(guard(ctx, inspection));
    const rules = await examineRules(ctx, inspection);
    return { ok: [...checks, ...rules].every(({ ok }) => ok), checks, rules };
  },
  render(output, view) {
    const checks = output.checks.map(
      ({ check, ok, detail }) => `${ok ? view.paint("green", "ok  ") : view.paint("red", "FAIL")} ${check}: ${detail}`,
    );
    return [...checks, ...(output.rules ? ["", renderRules(output.rules, view)] : [])].join("\n");
  },
});

type Finding = z.infer<typeof finding>;

async function integrity(ctx: OperationContext): Promise<Finding> {
  if (ctx.dialect.name === "postgres") return { check: "integrity", ok: true, detail: "left to the database server" };
  const problems = await fileProblems(ctx.db);
  return {
    check: "integrity",
    ok: problems.length === 0,
    detail: problems.length === 0 ? "the file is sound" : problems.join("; "),
  };
}

async function chain(ctx: OperationContext): Promise<Finding> {
  const { checked, faults } = await verifyChain(ctx.db);
  const detail =
    faults.length === 0
      ? `${checked} events, unbroken`
      : faults.map((fault) => `event ${fault.seq} ${fault.problem}`).join("; ");
  return { check: "event chain", ok: faults.length === 0, detail };
}

async function leases(ctx: OperationContext): Promise<Finding> {
  const wrong = await claimFaults(ctx.db);
  if (wrong.length > 0) return { check: "claims", ok: false, detail: `not so: ${wrong.join(", ")}` };
  const expired = await countExpired(ctx.db, ctx.now);
  const sound = "every task in progress has a holder with a lease, and no other is held";
  const detail = expired === 0 ? sound : `${sound}; ${expired} ran out and come free with the next change`;
  return { check: "claims", ok: true, detail };
}

async function fileLeases(ctx: OperationContext): Promise<Finding> {
  const faults = await leaseFaults(ctx.db);
  const detail = faults.length === 0 ? "each belongs to a claim, and no two meet" : faults.slice(0, 10).join("; ");
  return { check: "file leases", ok: faults.length === 0, detail };
}

function identity(ctx: OperationContext): Finding {
  return { check: "identity", ok: true, detail: `this call acts as ${ctx.principal.kind} ${ctx.principal.name}` };
}

function guard(ctx: OperationContext, { lastHook }: Inspection): Finding {
  const isVouchedFor = ctx.principal.kind !== "unverified";
  const facts = { setting: ctx.config.guard, isInSession: lastHook !== undefined, isVouchedFor };
  return guardFinding({ ...facts, platform: process.platform });
}
