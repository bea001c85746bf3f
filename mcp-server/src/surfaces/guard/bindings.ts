import type { Principal } from "../../kernel/principal.ts";

const MOST = 20_000;
/** A call follows its announcement at once, or when a person has allowed it. What is older was never made. */
const BELIEVED_MS = 10 * 60_000;

interface Binding {
  readonly principal: Principal;
  /** Where the caller is at work; "" when the client does not say. */
  readonly cwd: string;
  readonly tool: string;
  /** UTC ms. */
  readonly at: number;
}

/**
 * Which principal makes which call, kept in memory from its announcement to the call (design §3): good for one call of
 * one tool, and for ten minutes.
 */
export class Bindings {
  readonly #bound = new Map<string, Binding>();

  add(toolUseId: string, binding: Binding): void {
    this.#bound.delete(toolUseId); // announced again: its age begins anew, and the oldest stay in front
    for (const [id, { at }] of this.#bound) {
      if (this.#bound.size < MOST && binding.at - at <= BELIEVED_MS) break;
      this.#bound.delete(id);
    }
    this.#bound.set(toolUseId, binding);
  }

  take(toolUseId: string, tool: string, now: number): Principal | undefined {
    const bound = this.#bound.get(toolUseId);
    if (bound?.tool !== tool) return undefined;
    this.#bound.delete(toolUseId);
    if (now - bound.at > BELIEVED_MS) return undefined;
    return bound.cwd === "" ? bound.principal : { ...bound.principal, cwd: bound.cwd };
  }

  /** How many calls are announced and not made. */
  get size(): number {
    return this.#bound.size;
  }
}
