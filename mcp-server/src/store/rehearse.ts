import { type Kysely, type RawBuilder, sql, type Transaction } from "kysely";
import type { Database } from "./database.ts";
import type { Store } from "./dialect-port.ts";
import { type Prepared, prepared } from "./prepared.ts";

/** Carries the result past the transaction that is to be undone. */
class Curtain<T> extends Error {
  readonly result: T;
  constructor(result: T) {
    super("the rehearsal is over");
    this.result = result;
  }
}

/**
 * Runs `work` on a store that is one transaction of the real one, and undoes all of it, also when `work` throws. What
 * opens a transaction in there gets a savepoint. `work` must use no other handle: with the embedded store it would
 * wait for itself.
 */
export async function rehearse<T>(store: Store, work: (stage: Store) => Promise<T>): Promise<T> {
  try {
    return await store.db.transaction().execute(async (trx) => {
      const result = await work({ ...store, db: nesting(trx), close: async () => {} });
      throw new Curtain(result);
    });
  } catch (error) {
    if (error instanceof Curtain) return error.result as T;
    throw error;
  }
}

/** Runs `work` on a store that is one transaction of the real one: all of it is kept, or nothing when `work` throws. */
export async function enclose<T>(store: Store, work: (inner: Store) => Promise<T>): Promise<T> {
  return store.db.transaction().execute((trx) => work({ ...store, db: nesting(trx), close: async () => {} }));
}

type Verb = Prepared<object, unknown>;
const savepoints = new Map<number, { readonly open: Verb; readonly release: Verb; readonly undo: Verb }>();

/** Named by depth, so that the statements stay prepared however many there are. */
function savepoint(depth: number) {
  let found = savepoints.get(depth);
  if (!found) {
    const name = sql.id(`inner_${depth}`);
    const verb = (text: RawBuilder<unknown>) => prepared((db) => ({ compile: () => text.compile(db) }));
    found = {
      open: verb(sql`savepoint ${name}`),
      release: verb(sql`release savepoint ${name}`),
      undo: verb(sql`rollback to savepoint ${name}`),
    };
    savepoints.set(depth, found);
  }
  return found;
}

/** The transaction's handle, in which `transaction()` is allowed: Kysely refuses it. */
function nesting(trx: Transaction<Database>): Kysely<Database> {
  let depth = 0;
  const execute = async <T>(work: (inner: Transaction<Database>) => Promise<T>): Promise<T> => {
    depth += 1;
    const { open, release, undo } = savepoint(depth);
    try {
      await open.run(trx, {});
      try {
        const result = await work(trx);
        await release.run(trx, {});
        return result;
      } catch (error) {
        await undo.run(trx, {});
        await release.run(trx, {});
        throw error;
      }
    } finally {
      depth -= 1;
    }
  };
  return new Proxy<Kysely<Database>>(trx, {
    get(target, name) {
      if (name === "transaction") return () => ({ execute });
      const value: unknown = Reflect.get(target, name, target); // its private members know no proxy
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
