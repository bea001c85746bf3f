import { statSync } from "node:fs";
import { join } from "node:path";
import type { ProjectConfig } from "./config/config.schema.ts";
import { CONFIG_FILE, findProjectRoot, stateFolder } from "./config/project-root.ts";
import type { Runtime } from "./kernel/execute.ts";
import type { Store } from "./store/dialect-port.ts";
import { noStore } from "./store/no-store.ts";
import { openStore } from "./store/open.ts";

export interface RuntimeOptions {
  /** Where to look for the project from. */
  readonly start: string;
  /** What `identity` is when the configuration does not say: strict inside the client, advisory elsewhere. */
  readonly defaultIdentity: "strict" | "advisory";
  readonly now?: () => number;
  /** For operations that say `needsStore: false`. */
  readonly withoutStore?: boolean;
  /** For operations that say `needsConfig: false`. */
  readonly withoutConfig?: boolean;
}

/** Configuration and store, open; the operations are not loaded yet. */
export interface OpenProject {
  readonly store: Store;
  readonly config: ProjectConfig;
  /** What `configStamp` said before the file was read. */
  readonly stamp: string;
  readonly options: RuntimeOptions;
}

export type OpenRuntime = Runtime & { close(): Promise<void> };

/** Throws INVALID_INPUT with all config problems, or UNAVAILABLE with the reason. */
export async function openProject(options: RuntimeOptions): Promise<OpenProject> {
  const root = findProjectRoot(options.start);
  const stamp = options.withoutConfig ? "" : configStamp(root);
  const config = stamp === "" ? await defaults(root) : (await loader()).loadConfig(root);
  if (options.withoutStore) return { store: noStore(), config, stamp, options };
  const store = await openStore({
    url: config.storage.url,
    path: join(stateFolder(root), "state.db"),
    synchronous: config.storage.synchronous,
  });
  return { store, config, stamp, options };
}

/** The project with its operations: they and their schemas are most of our own code, and no start waits for them. */
export async function withOperations({
  store,
  config: first,
  stamp: read,
  options,
}: OpenProject): Promise<OpenRuntime> {
  const [{ executorHooks }, { loadConfig }] = await Promise.all([import("./features/index.ts"), loader()]);
  let config = first;
  let stamp = read;
  const file = join(first.root, CONFIG_FILE);
  return {
    store,
    hooks: executorHooks(store.replica, options.defaultIdentity),
    now: options.now ?? Date.now,
    /** Read again when the file has changed; a broken edit makes calls fail with its problems until it is mended. */
    get config() {
      if (options.withoutConfig) return first;
      const current = stampOf(file);
      if (current !== stamp) {
        config = loadConfig(first.root);
        stamp = current;
      }
      return config;
    },
    close: () => store.close(),
  };
}

/** Opens configuration and store and loads the operations. Throws like `openProject`. */
export async function openRuntime(options: RuntimeOptions): Promise<OpenRuntime> {
  return withOperations(await openProject(options));
}

/** The schema is a sixth of what a start would load; the answer to `initialize` needs none of it. */
async function defaults(root: string): Promise<ProjectConfig> {
  const { configSchema, withDefaults } = await import("./config/config.schema.ts");
  return withDefaults(configSchema.parse({}), root);
}

/** The YAML parser is needed only where there is a file. */
function loader() {
  return import("./config/config.load.ts");
}

/** Another text whenever teamwright.yaml may be another; empty when there is none. */
export function configStamp(root: string): string {
  return stampOf(join(root, CONFIG_FILE));
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs}:${stat.size}` : "";
}
