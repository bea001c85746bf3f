import type { Kysely } from "kysely";
import type { Database } from "./database.ts";
import type { Store } from "./dialect-port.ts";

/** Stands where an operation that needs no store runs: no file is made, and a use of it is a fault of ours. */
export function noStore(): Store {
  const db = new Proxy({} as Kysely<Database>, {
    get(_, name) {
      throw new Error(`an operation without store asked its database for ${String(name)}`);
    },
  });
  return {
    db,
    port: {
      name: "sqlite",
      lockName: async () => {},
      searchTasks: async () => [],
      searchKnowledge: async () => [],
      isRetryable: () => false,
      explainFailure: () => undefined,
      watch: () => () => {},
      announce: async () => {},
      skipLocked: false,
    },
    location: "nowhere",
    readOnly: "This operation works without the store.",
    isNewer: false,
    replica: "none",
    close: async () => {},
  };
}
