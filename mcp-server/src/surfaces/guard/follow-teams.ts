import type { ProjectConfig } from "../../config/config.schema.ts";
import { isMisplaced, placeAsConfigured } from "../../features/borrow/follow.store.ts";
import type { Runtime } from "../../kernel/execute.ts";
import type { OperationContext } from "../../kernel/operation.ts";

/** Looks once at each configuration whether agents work where it says, and moves those that do not (TC-03, BO-03). */
export class FollowTeams {
  #seen: ProjectConfig | undefined;

  /** True when somebody was moved. A failure is told, and the next call tries again. */
  async follow(
    runtime: Runtime,
    write: (work: (ctx: OperationContext) => Promise<unknown>) => Promise<unknown>,
  ): Promise<boolean> {
    const { config, store } = runtime;
    if (this.#seen === config || store.readOnly) return false;
    try {
      const isNeeded = await isMisplaced(store.db, config);
      if (isNeeded) await write(placeAsConfigured);
      this.#seen = config;
      return isNeeded;
    } catch (error) {
      process.stderr.write(`teams: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
      return false;
    }
  }
}
