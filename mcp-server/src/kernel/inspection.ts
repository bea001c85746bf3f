import type { ProjectConfig } from "../config/config.schema.ts";
import type { Runtime } from "./execute.ts";
import type { GuardRule } from "./guard-rule.ts";
import type { OperationContext } from "./operation.ts";
import type { Principal } from "./principal.ts";

/** A place where anything may be tried: its store is a transaction that is undone at the end. */
export interface Stage {
  readonly runtime: Runtime;
  /** Runs an operation through the executor. Throws its refusal. */
  as(principal: Principal, operation: string, input?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** What a guard of this stage answers to a hook of the client; it remembers nothing of the real one. */
  hook(payload: Readonly<Record<string, unknown>>): Promise<Record<string, unknown> | undefined>;
  /** A write transaction as the system. */
  write<T>(work: (ctx: OperationContext) => Promise<T>): Promise<T>;
}

/** What a surface shows of itself to an operation that examines the rules. */
export interface Inspection {
  /** The rules of the hooks, whether or not this process has a guard. */
  readonly rules: readonly GuardRule[];
  /**
   * When a hook of this event and tool has last arrived from the client, in UTC ms; undefined: none yet. Absent where
   * no client's hooks are believed.
   */
  readonly lastHook?: (event: string, tool: string) => number | undefined;
  /** `adjust` changes the configuration of the stage only. Throws UNAVAILABLE where nothing can be written. */
  rehearse<T>(work: (stage: Stage) => Promise<T>, adjust?: (config: ProjectConfig) => ProjectConfig): Promise<T>;
}
