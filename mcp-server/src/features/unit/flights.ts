import type { GuardContext } from "../../kernel/guard-rule.ts";

/** A call that the client has dropped does not land. */
const FLIGHT_MS = 15 * 60_000;

interface Flight {
  /** "" for the lead. */
  readonly agentId: string;
  readonly name: string;
  readonly at: number;
  /** Its call returns at once and the command goes on. */
  readonly isLasting: boolean;
}

/** Whose shell commands run, as far as this process has seen them begin. */
export class Flights {
  readonly #all = new Map<string, Flight>();

  takesOff({ call, principal, runtime }: GuardContext): void {
    const { agentId, toolUseId, toolName, toolInput } = call;
    const isLasting = toolName === "Monitor" || String(toolInput.run_in_background) === "true";
    this.#all.set(toolUseId, { agentId, name: principal.name, at: runtime.now(), isLasting });
  }

  lands({ call }: GuardContext): void {
    if (this.#all.get(call.toolUseId)?.isLasting !== true) this.#all.delete(call.toolUseId);
  }

  /** An agent's commands end with it. */
  ends({ call }: GuardContext): void {
    for (const [id, { agentId }] of this.#all) if (agentId === call.agentId) this.#all.delete(id);
  }

  /** What runs beside the call that is looked at. */
  others({ call, runtime }: GuardContext): Flight[] {
    for (const [id, { at }] of this.#all) if (runtime.now() - at > FLIGHT_MS) this.#all.delete(id);
    return [...this.#all].flatMap(([id, flight]) => (id === call.toolUseId ? [] : [flight]));
  }
}
