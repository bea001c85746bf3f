import type { ExecutorHooks } from "../../kernel/execute.ts";
import type { Operation } from "../../kernel/operation.ts";

/** What a simulation needs of the table of operations. */
export interface Table {
  find(name: string): Operation | undefined;
  hooks(replica: string, identity: "strict" | "advisory"): ExecutorHooks;
}

let bound: Table | undefined;

/** Called by the table itself, when it is complete: this slice is a part of it and cannot import it. */
export function bindTable(table: Table): void {
  bound = table;
}

export function boundTable(): Table {
  if (!bound) throw new Error("the table of operations is not loaded");
  return bound;
}
