import { hint, TeamwrightError } from "../../../kernel/errors.ts";
import type { FilePort } from "../../../kernel/operation.ts";
import type { Backlog } from "../backlog.rules.ts";
import type { Desk } from "./desk.ts";

interface Row {
  readonly verdict: string;
  readonly line: number;
  readonly id?: string;
  readonly reason: string;
}

/** Loads the run's backlogs. Throws INVALID_INPUT when a story cannot be taken. */
export async function loadStories(desk: Desk, backlogs: readonly Backlog[]): Promise<void> {
  for (const { name, text, team } of backlogs) {
    const files: FilePort = { read: async () => text, write: async () => {} };
    const input = { file: name, ...(team === undefined ? {} : { team }) };
    const { rejected, rows } = await desk.must("portfolio_load", input, files);
    if (rejected === 0) continue;
    throw new TeamwrightError(
      "INVALID_INPUT",
      `${rejected} stories of ${name} cannot be taken.`,
      hint("portfolio_load", "with dry_run looks at a backlog"),
      (rows as Row[])
        .filter(({ verdict }) => verdict === "rejected")
        .slice(0, 20)
        .map(({ line, id = "", reason }) => `${name}:${line} ${id} ${reason}`),
    );
  }
}
