/** Makes out/plugin/: a marketplace folder with the self-contained plugin in it. `npm run pack:plugin` */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { buildDist } from "./build.ts";

const root = join(import.meta.dirname, "..");

/**
 * What a session needs besides dist/. There is no package.json at the plugin's root on purpose: beside a lockfile it
 * would make the client install the dependencies of development. bin/ has one of its own that says CommonJS.
 */
const SHIPPED = [".claude-plugin/plugin.json", ".claude-plugin/icon.png", "hooks", "skills", "agents", "bin"];
const SHIPPED_IF_PRESENT = ["monitors", "team-registry/teams", "team-registry/README.md", "evals"];
const TEXTS = ["README.md", "LICENSE", "CHANGELOG.md"];
/** What those texts point to: the schema for editors, and the experiments to begin with. */
const REFERENCES = ["docs", "schemas", "examples"];

export interface PackedPlugin {
  /** The marketplace folder, for `claude plugin marketplace add`. */
  readonly marketplace: string;
  /** The plugin's own folder, for `claude --plugin-dir`. */
  readonly plugin: string;
  readonly bytes: number;
}

export async function packPlugin(marketplace: string = join(root, "out/plugin")): Promise<PackedPlugin> {
  const plugin = join(marketplace, "teamwright");
  rmSync(marketplace, { recursive: true, force: true });
  mkdirSync(plugin, { recursive: true });

  await buildDist(join(plugin, "dist"));
  for (const path of [
    ...SHIPPED,
    ...SHIPPED_IF_PRESENT.filter((name) => existsSync(join(root, name))),
    ...TEXTS,
    ...REFERENCES,
  ]) {
    cpSync(join(root, path), join(plugin, path), { recursive: true });
  }

  const listing = JSON.parse(readFileSync(join(root, ".claude-plugin/marketplace.json"), "utf8"));
  for (const entry of listing.plugins) entry.source = `./${relative(marketplace, plugin)}`;
  mkdirSync(join(marketplace, ".claude-plugin"));
  writeFileSync(join(marketplace, ".claude-plugin/marketplace.json"), `${JSON.stringify(listing, null, 2)}\n`);
  return { marketplace, plugin, bytes: folderBytes(plugin) };
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

if (import.meta.main) {
  const { marketplace, plugin, bytes } = await packPlugin();
  console.log(`Packed ${relative(process.cwd(), plugin)} (${(bytes / 1e6).toFixed(1)} MB). Install it with

  claude plugin marketplace add ${marketplace}
  claude plugin install teamwright@teamwright`);
}
