import { statSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_FILE, loadConfig } from "./config/config.load.ts";
import { findProjectRoot, STATE_FOLDER } from "./config/project-root.ts";
import { executorHooks } from "./features/index.ts";
import type { Runtime } from "./kernel/execute.ts";
import { openStore } from "./store/open.ts";

export interface RuntimeOptions {
  /** Where to look for the project from. */
  readonly start: string;
  /** What `identity` is when the configuration does not say: strict inside the client, advisory elsewhere. */
  readonly defaultIdentity: "strict" | "advisory";
  readonly now?: () => number;
}

/** Opens configuration and store. Throws INVALID_INPUT with all config problems, or UNAVAILABLE with the reason. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime & { close(): Promise<void> }> {
  const root = findProjectRoot(options.start);
  let config = loadConfig(root);
  let stamp = configStamp(root);
  const store = await openStore({
    url: config.storage.url,
    path: join(root, STATE_FOLDER, "state.db"),
    synchronous: config.storage.synchronous,
  });
  const hooks = executorHooks(store.replica, config.identity ?? options.defaultIdentity);
  return {
    store,
    hooks,
    now: options.now ?? Date.now,
    /** Read again when the file has changed; a broken edit makes calls fail with its problems until it is mended. */
    get config() {
      const current = configStamp(root);
      if (current !== stamp) {
        config = loadConfig(root);
        stamp = current;
      }
      return config;
    },
    close: () => store.close(),
  };
}

/** Another text whenever teamwright.yaml may be another; empty when there is none. */
export function configStamp(root: string): string {
  const stat = statSync(join(root, CONFIG_FILE), { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs}:${stat.size}` : "";
}
