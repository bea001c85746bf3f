import type { Store } from "./dialect-port.ts";

export interface StoreOptions {
  /** `postgres://…`, or undefined for the embedded store. */
  readonly url?: string | undefined;
  /** File of the embedded store. */
  readonly path: string;
  readonly synchronous: "normal" | "full";
  readonly readOnly?: boolean;
}

/** Drivers are loaded only when they are used: pg alone adds half again to the start (storage floors §b). */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (options.url) {
    const { openPostgres } = await import("./postgres.ts");
    return openPostgres(options.url);
  }
  const { openSqlite } = await import("./sqlite.ts");
  return openSqlite(options);
}
