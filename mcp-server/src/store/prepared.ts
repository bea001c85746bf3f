import type { CompiledQuery, DialectAdapter, Kysely, QueryResult } from "kysely";
import type { Database } from "./database.ts";
import { shortcutOf } from "./shortcut.ts";

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
  const answer = (db: Kysely<Database>, params: P): QueryResult<O> | Promise<QueryResult<O>> => {
    const executor = db.getExecutor();
    const { adapter } = executor;
    let query = compiled.get(adapter);
    if (!query) {
      // the builder takes any value as a parameter, so that a stand-in passes for each of them
      query = build(db, new Proxy({}, { get: (_, name) => new Slot(String(name)) }) as P).compile();
      compiled.set(adapter, query);
    }
    const values = params as Record<string, unknown>;
    const parameters = query.parameters.map((value) => (value instanceof Slot ? values[value.name] : value));
    const place = { isTransaction: db.isTransaction, executor };
    return shortcutOf(adapter)?.run<O>(query.sql, parameters, place) ?? db.executeQuery<O>({ ...query, parameters });
  };
  return {
    run: async (db, params) => answer(db, params),
    all: async (db, params) => rowsOf(answer(db, params)),
    first: async (db, params) => {
      const rows = rowsOf(answer(db, params));
      return Array.isArray(rows) ? rows[0] : (await rows)[0];
    },
  };
}

function rowsOf<O>(answer: QueryResult<O> | Promise<QueryResult<O>>): O[] | Promise<O[]> {
  return answer instanceof Promise ? answer.then(({ rows }) => rows) : answer.rows;
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
