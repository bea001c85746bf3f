/** Bundles the server to dist/lib and copies the native driver to dist/prebuilds. Exported for pack-plugin.ts; run alone it is `npm run build`. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { build, type Metafile, type Plugin, transform } from "esbuild";
import { operations } from "../mcp-server/src/features/index.ts";
import { listTools } from "../mcp-server/src/surfaces/mcp/tools.ts";

const root = join(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

const TARGET = "node22.14";

export interface BuildReport {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** The largest parts of the code, by package or own folder. */
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
}

/** The SDK's own validator is Ajv, a sixth of the server's code; it ships this one as well, for runtimes without eval. */
const lighterValidator: Plugin = {
  name: "lighter-validator",
  setup(setup) {
    const path = join(root, "scripts/sdk-shims.ts");
    setup.onResolve({ filter: /^@modelcontextprotocol\/server\/_shims$/ }, () => ({ path }));
  },
};

/**
 * What other files take from one is looked up through two getters, in the middle of every call. Here what is known
 * when the file has run becomes a plain property; what a lazily run module sets later keeps its getter.
 */
const PLAIN_EXPORTS = `{const late=module.exports,known=Object.defineProperty({},"__esModule",{value:true});
for(const name of Object.keys(late))late[name]===undefined?Object.defineProperty(known,name,{enumerable:true,get:()=>late[name]}):known[name]=late[name];
module.exports=known}`;

/**
 * A file for each part that is loaded at a moment of its own, so that a start reads no more than it runs. esbuild cuts
 * ES modules only; each piece then becomes CommonJS, which starts faster and whose driver finds `__dirname`.
 */
async function bundle(entry: string, outdir: string): Promise<Metafile> {
  const { metafile, outputFiles } = await build({
    entryPoints: { main: entry },
    outdir,
    outExtension: { ".js": ".cjs" },
    write: false,
    splitting: true,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: TARGET,
    legalComments: "none",
    define: {
      TEAMWRIGHT_VERSION: JSON.stringify(version),
      TEAMWRIGHT_TOOLS: JSON.stringify({ core: listTools(operations, "core"), all: listTools(operations, "all") }),
      "import.meta.url": "importMetaUrl",
      "import.meta.dirname": "__dirname",
      "import.meta.filename": "__filename",
    },
    external: ["pg-native"],
    plugins: [lighterValidator],
    metafile: true,
    logLevel: "warning",
  });
  for (const file of outputFiles) {
    const { code } = await transform(file.text, {
      format: "cjs",
      platform: "node",
      target: TARGET,
      minify: true,
      supported: { "dynamic-import": false },
      banner: 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;',
      footer: PLAIN_EXPORTS,
    });
    writeFileSync(file.path, code);
  }
  return metafile;
}

/** The driver looks in `__dirname/../prebuilds`, seen from the bundle it is part of. */
function copyPrebuilds(target: string): void {
  const driver = dirname(require.resolve("better-sqlite3/package.json"));
  cpSync(join(driver, "prebuilds"), target, { recursive: true });
}

function largestParts(metafile: Metafile): BuildReport["parts"] {
  const sums = new Map<string, number>();
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  for (const [path, { bytesInOutput }] of inputs) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? dirname(path);
    sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
  }
  return [...sums].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
}

export async function buildDist(dist: string = join(root, "dist")): Promise<BuildReport> {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(join(dist, "lib"), { recursive: true });

  const metafile = await bundle(join(root, "mcp-server/src/main.ts"), join(dist, "lib"));
  copyPrebuilds(join(dist, "prebuilds"));

  const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(dist, path), bytes: statSync(path).size }));
  return { files, parts: largestParts(metafile) };
}

function inKilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0).padStart(8)} kB`;
}

if (import.meta.main) {
  const report = await buildDist();
  for (const { path, bytes } of report.files) console.log(`${inKilobytes(bytes)}  dist/${path}`);
  console.log("\nLargest parts of dist/lib:");
  for (const { name, bytes } of report.parts.slice(0, 10)) console.log(`${inKilobytes(bytes)}  ${name}`);
}
