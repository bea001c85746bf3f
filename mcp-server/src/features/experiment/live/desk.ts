import type { ProjectConfig } from "../../../config/config.schema.ts";
import type { PracticeName } from "../../../config/experiment.schema.ts";
import { practiceNames } from "../../../config/experiment.schema.ts";
import { practiceOn } from "../../../config/practices.rules.ts";
import { execute, inTransaction, type Runtime } from "../../../kernel/execute.ts";
import type { FilePort, OperationContext } from "../../../kernel/operation.ts";
import { type Principal, systemPrincipal } from "../../../kernel/principal.ts";
import type { Store } from "../../../store/dialect-port.ts";
import { type Answer, lead } from "../stage.ts";
import { boundTable } from "../table.ts";

/** Where the runner of a live run stands: the operations that everybody uses, on the sessions' own store and clock. */
export interface Desk {
  readonly runtime: Runtime;
  readonly config: ProjectConfig;
  must(operation: string, input?: Record<string, unknown>, files?: FilePort): Promise<Answer>;
  inside<T>(work: (ctx: OperationContext) => Promise<T>): Promise<T>;
}

/** Acts as the person who has started the run; as a lead of its own where a machine has. */
export function openDesk(store: Store, config: ProjectConfig, caller: Principal): Desk {
  const table = boundTable();
  const runtime: Runtime = { store, config, hooks: table.hooks(store.replica, "strict"), now: Date.now };
  const principal = caller.kind === "human" ? caller : lead;
  return {
    runtime,
    config,
    must(name, input = {}, files = undefined) {
      const operation = table.find(name);
      if (!operation) throw new Error(`no operation ${name}`);
      return execute(runtime, operation, input, { principal, ...(files ? { files } : {}) });
    },
    inside: (work) => inTransaction(runtime, { principal: systemPrincipal }, "experiment_run", work),
  };
}

/** What real teams do by themselves when they are asked to; everything else is simulated, and off in a live run. */
const livePractices: readonly PracticeName[] = ["retro", "meta_learning"];

/** The configuration as a live run can keep to it, and which practices that leaves out. */
export function withoutSimulation(config: ProjectConfig): { config: ProjectConfig; left: PracticeName[] } {
  const left = practiceNames.filter(
    (name) => !livePractices.includes(name) && config.teams.some(({ id }) => practiceOn(config, id, name)),
  );
  const off = Object.fromEntries(
    practiceNames.filter((name) => !livePractices.includes(name)).map((name) => [name, false]),
  );
  const teams = config.teams.map((team) => ({ ...team, practices: { ...team.practices, ...off } }));
  return { config: { ...config, teams }, left };
}
