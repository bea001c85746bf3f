import { findOperation } from "../../features/index.ts";
import { TeamwrightError } from "../../kernel/errors.ts";
import { execute, inTransaction, type Runtime } from "../../kernel/execute.ts";
import type { Inspection, Stage } from "../../kernel/inspection.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import { rehearse } from "../../store/rehearse.ts";
import { Guard } from "./guard.ts";
import { guardRules } from "./rules.ts";

const TRIES = 40;
const PAUSE_MS = 25;

/** Lets an operation try the rules of this process. `guard` is the one the client's hooks reach, where there is one. */
export function inspectionOf(runtime: Runtime, guard?: Guard): Inspection {
  return {
    rules: guardRules.map((make) => make()),
    ...(guard ? { lastHook: (event: string, tool: string) => guard.lastHook(event, tool) } : {}),
    async rehearse(work, adjust = (config) => config) {
      const { store, hooks, now } = runtime;
      if (store.readOnly) throw new TeamwrightError("UNAVAILABLE", store.readOnly);
      const config = adjust(runtime.config);
      for (let tried = 1; ; tried += 1) {
        // whoever tries again inside keeps the rehearsal's locks meanwhile, and the other may wait for one of them
        let isContended = false;
        const isRetryable = (error: unknown) => {
          isContended ||= store.port.isRetryable(error);
          return false;
        };
        const port = { ...store.port, isRetryable };
        try {
          const result = await rehearse(store, (stage) =>
            work(stageOf({ store: { ...stage, port }, hooks, now, config })),
          );
          if (!isContended || tried >= TRIES) return result;
        } catch (error) {
          if (tried >= TRIES || !(isContended || store.port.isRetryable(error))) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    },
  };
}

function stageOf(runtime: Runtime): Stage {
  const guard = new Guard(runtime);
  return {
    runtime,
    async as(principal, name, input = {}) {
      const operation = findOperation(name);
      if (!operation) throw new TeamwrightError("NOT_FOUND", `There is no operation ${name}.`);
      return execute(runtime, operation, input, { principal });
    },
    hook: (payload) => guard.decide(payload),
    write: (work) => inTransaction(runtime, { principal: systemPrincipal }, "rehearsal", work),
  };
}
