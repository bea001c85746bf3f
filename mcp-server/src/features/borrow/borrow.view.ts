import { plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import type { LoanRow } from "../agent/placement.store.ts";
import { compact } from "../task/task.view.ts";
import type { ShownLoan } from "./borrow.schema.ts";

const MAX_REASON = 500;

/** As answers show it; names of a refused request are what the caller wrote, and not known to exist. */
export function toShownLoan(row: LoanRow): ShownLoan {
  const isOver = row.status === "returned";
  return compact({
    id: row.key,
    agent: plainLine(row.agent, 64),
    home: plainLine(row.home_team, 64),
    from: row.from_team === row.home_team ? undefined : plainLine(row.from_team, 64),
    to: plainLine(row.to_team, 64),
    status: row.status,
    reason: plainLine(row.reason, MAX_REASON),
    requested_by: plainLine(row.requested_by_name, 64),
    sprint: row.sprint_from,
    due_sprint: row.due_sprint,
    refused: row.refusal ?? undefined,
    why: row.refusal_why === null ? undefined : plainLine(row.refusal_why, MAX_REASON),
    returned: row.returned_why === null ? undefined : plainLine(row.returned_why, MAX_REASON),
    last_sprint: isOver ? (row.last_sprint ?? undefined) : undefined,
  }) as ShownLoan;
}

const colours = { requested: "yellow", refused: "red", active: "green", returned: "dim" } as const;

/** `active loan-1a2b: ada of alpha to beta, sprint 2 until 3 starts: QA is short` */
export function renderLoan(loan: ShownLoan, view: RenderView): string {
  const from = loan.from === undefined ? "" : ` by way of ${plainLine(loan.from, 40)}`;
  const who = `${plainLine(loan.agent, 64)} of ${plainLine(loan.home, 40)}${from} to ${plainLine(loan.to, 40)}`;
  const outcome =
    loan.refused === undefined
      ? loan.returned === undefined
        ? `sprint ${loan.sprint} until ${loan.due_sprint} starts`
        : `sprint ${loan.sprint}, back: ${plainLine(loan.returned, 100)}`
      : `${loan.refused}, ${plainLine(loan.why ?? "", 160)}`;
  const line = `${view.paint(colours[loan.status], loan.status)} ${view.paint("cyan", loan.id)}: ${who}, ${outcome}`;
  return `${line}: ${plainLine(loan.reason, 160)}`;
}
