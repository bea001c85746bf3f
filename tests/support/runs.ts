import { insertRun, type RunRow } from "../../mcp-server/src/features/run/run.store.ts";
import { inTransaction, type Runtime } from "../../mcp-server/src/kernel/execute.ts";

/** Opens a run in a session, as its plan would. */
export function openRun(runtime: Runtime, session = "s1", name = "issue-123"): Promise<RunRow> {
  const principal = { kind: "lead", key: `lead:${session}`, name: "lead", session } as const;
  return inTransaction(runtime, { principal }, "unit_plan", (ctx) =>
    insertRun(ctx, {
      name,
      level: "issue",
      session,
      lead: principal.key,
      mode: "task",
      mode_reason: "no messages between agents",
      verdict: "team",
      verdict_reason: "2 pairs need each other's discoveries",
      pairs: 2,
      phase_gate: "merged_local",
    }),
  );
}
