import type { DialectAdapter, QueryResult } from "kysely";

/** Through which handle a statement comes. */
export interface Place {
  readonly isTransaction: boolean;
  /** Of the handle; a transaction has one of its own. */
  readonly executor: object;
}

/**
 * The way of a store that answers at once, past Kysely's queue for its one connection: for the dozen statements of a
 * claim the queue costs more than SQLite. `run` is undefined where only the queue knows whose turn it is.
 */
export interface Shortcut {
  run<O>(text: string, parameters: readonly unknown[], place: Place): QueryResult<O> | undefined;
}

const shortcuts = new WeakMap<DialectAdapter, Shortcut>();

export function openShortcut(adapter: DialectAdapter, shortcut: Shortcut): void {
  shortcuts.set(adapter, shortcut);
}

export function shortcutOf(adapter: DialectAdapter): Shortcut | undefined {
  return shortcuts.get(adapter);
}
