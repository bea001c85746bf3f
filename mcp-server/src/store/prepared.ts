import type { CompiledQuery, DialectAdapter, Kysely, QueryResult } from "kysely";
import type { Database } from "./database.ts";

/** Stands for a value until the statement runs. */
class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A query whose text is worked out once per dialect; its parameters are given at each run. */
export interface Prepared<P, O> {
  all(db: Kysely<Database>, params: P): Promise<O[]>;
  first(db: Kysely<Database>, params: P): Promise<O | undefined>;
  run(db: Kysely<Database>, params: P): Promise<QueryResult<O>>;
}

/**
 * Building and compiling a query takes several times what SQLite needs to answer it. `build` is run once with stand-ins
 * for the parameters, which it may hand to the builder only: nothing of the query's shape can depend on a value.
 */
export function prepared<P extends object, O>(
  build: (db: Kysely<Database>, params: P) => { compile(): CompiledQuery<O> },
): Prepared<P, O> {
  const compiled = new WeakMap<DialectAdapter, CompiledQuery<O>>();
  const run = (db: Kysely<Database>, params: P): Promise<QueryResult<O>> => {
    const { adapter } = db.getExecutor();
    let query = compiled.get(adapter);
    if (!query) {
      // the builder takes any value as a parameter, so that a stand-in passes for each of them
      query = build(db, new Proxy({}, { get: (_, name) => new Slot(String(name)) }) as P).compile();
      compiled.set(adapter, query);
    }
    const values = params as Record<string, unknown>;
    const parameters = query.parameters.map((value) => (value instanceof Slot ? values[value.name] : value));
    return db.executeQuery({ ...query, parameters });
  };
  return {
    run,
    all: async (db, params) => (await run(db, params)).rows,
    first: async (db, params) => (await run(db, params)).rows[0],
  };
}

const SHAPES_KEPT = 200;

/** For queries of several shapes: one `Prepared` per name of a shape, which must tell all of it. */
export function preparedByShape<P extends object, O>(
  build: (shape: string) => Prepared<P, O>,
): (shape: string) => Prepared<P, O> {
  const shapes = new Map<string, Prepared<P, O>>();
  return (shape) => {
    let found = shapes.get(shape);
    if (!found) {
      if (shapes.size >= SHAPES_KEPT) shapes.clear();
      found = build(shape);
      shapes.set(shape, found);
    }
    return found;
  };
}
