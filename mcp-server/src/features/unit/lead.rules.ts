import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";

/** Plans, gates and commits are the orchestrator's (requirements FP-02): whoever does the work does not judge it. */
export function checkDirects(principal: Principal, what: string): void {
  if (principal.kind === "lead" || principal.kind === "human") return;
  throw new TeamwrightError(
    "FORBIDDEN",
    `Only the lead of the session ${what}.`,
    hint("unit_submit", "hands your work in; brief_show says where you stand"),
  );
}
