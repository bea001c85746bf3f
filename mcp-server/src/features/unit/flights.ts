import type { GuardContext } from "../../kernel/guard-rule.ts";

/** Tools that are neither the client's nor ours, or start scripts of their own: nobody knows what they do. */
export const OTHERS = /^(mcp__(?!plugin_teamwright_teamwright__).*|Workflow|REPL|EnterWorktree|ExitWorktree)$/;

/** A call that the client has dropped does not land. */
const FLIGHT_MS = 15 * 60_000;

interface Flight {
  /** "" for the lead. */
  readonly agentId: string;
  readonly name: string;
  readonly at: number;
  /** Its call returns at once and the command goes on. */
  readonly isLasting: boolean;
  /** Nothing says when it ends, but that its agent goes on. */
  readonly isOther: boolean;
}

/** Whose shell commands run, as far as this process has seen them begin. */
export class Flights {
  readonly #all = new Map<string, Flight>();

  takesOff({ call, principal, runtime }: GuardContext): void {
    const { agentId, toolUseId, toolName, toolInput } = call;
    const isLasting = toolName === "Monitor" || String(toolInput.run_in_background) === "true";
    const isOther = OTHERS.test(toolName);
    this.#all.set(toolUseId, { agentId, name: principal.name, at: runtime.now(), isLasting, isOther });
  }

  lands({ call }: GuardContext): void {
    if (this.#all.get(call.toolUseId)?.isLasting !== true) this.#all.delete(call.toolUseId);
  }

  /** An agent's commands end with it. */
  ends({ call }: GuardContext): void {
    for (const [id, { agentId }] of this.#all) if (agentId === call.agentId) this.#all.delete(id);
  }

  /** A turn is over: what was refused, or given up, will not land. */
  turnEnds({ call }: GuardContext): void {
    for (const [id, { agentId, isLasting }] of this.#all)
      if (agentId === call.agentId && !isLasting) this.#all.delete(id);
  }

  /** An agent has gone on and been looked at: what other tools did for it is judged. */
  seen({ call }: GuardContext): void {
    for (const [id, { agentId, isOther }] of this.#all)
      if (isOther && agentId === call.agentId && id !== call.toolUseId) this.#all.delete(id);
  }

  /** What runs beside the call that is looked at. */
  others({ call, runtime }: GuardContext): Flight[] {
    for (const [id, { at }] of this.#all) if (runtime.now() - at > FLIGHT_MS) this.#all.delete(id);
    return [...this.#all].flatMap(([id, flight]) => (id === call.toolUseId ? [] : [flight]));
  }
}
