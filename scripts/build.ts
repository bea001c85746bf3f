/** Bundles the server to dist/lib and copies the native driver to dist/prebuilds. Exported for pack-plugin.ts; run alone it is `npm run build`. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";
import { operations } from "../mcp-server/src/features/index.ts";
import { listTools } from "../mcp-server/src/surfaces/mcp/tools.ts";

const root = join(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

/**
 * Libraries that only some runs need. CommonJS output cannot be split, so each becomes a file of its own that is read
 * at its first use; a static import of one is fine as long as the importing module is itself imported lazily.
 */
const LAZY_PACKAGES = ["pg", "mdast-util-from-markdown"];

/** Own modules for which the same holds, by file name: what they import is several times the rest. */
const LAZY_MODULES: Readonly<Record<string, string>> = {
  "compare-page.view.ts": "mcp-server/src/features/experiment/compare-page.view.ts",
};

export interface BuildReport {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** The largest parts of the main bundle, by package or own folder. */
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
}

const lazyPlugin: Plugin = {
  name: "lazy-packages",
  setup(setup) {
    const filter = new RegExp(`^(?:${LAZY_PACKAGES.join("|")})$`);
    setup.onResolve({ filter }, ({ path }) => ({ path: `./${path}.cjs`, external: true }));
    setup.onResolve({ filter: /^\.{1,2}\// }, ({ path, kind }) =>
      kind === "dynamic-import" && basename(path) in LAZY_MODULES
        ? { path: `./${basename(path, ".ts")}.cjs`, external: true }
        : undefined,
    );
  },
};

async function bundle(entry: string, outfile: string, plugins: Plugin[]): Promise<Metafile> {
  const result = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node22.14",
    legalComments: "none",
    define: {
      TEAMWRIGHT_VERSION: JSON.stringify(version),
      TEAMWRIGHT_TOOLS: JSON.stringify({ core: listTools(operations, "core"), all: listTools(operations, "all") }),
      "import.meta.url": "importMetaUrl",
      "import.meta.dirname": "__dirname",
      "import.meta.filename": "__filename",
    },
    banner: { js: 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;' },
    external: ["pg-native"],
    plugins,
    metafile: true,
    logLevel: "warning",
  });
  return result.metafile;
}

/** The driver looks in `__dirname/../prebuilds`, seen from the bundle it is part of. */
function copyPrebuilds(target: string): void {
  const driver = dirname(require.resolve("better-sqlite3/package.json"));
  cpSync(join(driver, "prebuilds"), target, { recursive: true });
}

function largestParts(metafile: Metafile): BuildReport["parts"] {
  const output = Object.values(metafile.outputs)[0];
  const sums = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(output?.inputs ?? {})) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? dirname(path);
    sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
  }
  return [...sums].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
}

export async function buildDist(dist: string = join(root, "dist")): Promise<BuildReport> {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(join(dist, "lib"), { recursive: true });

  const entry = join(root, "mcp-server/src/main.ts");
  const metafile = await bundle(entry, join(dist, "lib/main.cjs"), [lazyPlugin]);
  for (const name of LAZY_PACKAGES) await bundle(require.resolve(name), join(dist, `lib/${name}.cjs`), []);
  for (const [name, path] of Object.entries(LAZY_MODULES))
    await bundle(join(root, path), join(dist, `lib/${basename(name, ".ts")}.cjs`), []);
  copyPrebuilds(join(dist, "prebuilds"));

  const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(dist, path), bytes: statSync(path).size }));
  return { files, parts: largestParts(metafile) };
}

export function inKilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0).padStart(8)} kB`;
}

if (import.meta.main) {
  const report = await buildDist();
  for (const { path, bytes } of report.files) console.log(`${inKilobytes(bytes)}  dist/${path}`);
  console.log("\nLargest parts of dist/lib/main.cjs:");
  for (const { name, bytes } of report.parts.slice(0, 10)) console.log(`${inKilobytes(bytes)}  ${name}`);
}
