/** Packs the plugin and drives it in the real client. `npm run test:e2e [-- vitest's own arguments]` */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { packPlugin } from "./pack-plugin.ts";

const root = join(import.meta.dirname, "..");
const suite = join(root, "tests/e2e");

function run(command: string, args: readonly string[], cwd: string): number {
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  const shell = process.platform === "win32";
  const { status } = spawnSync(command, args, { cwd, stdio: "inherit", env: { ...process.env, PATH: path }, shell });
  return status ?? 1;
}

/** npm writes its hidden lockfile last, so an older one is from another version or from a broken install. */
function isInstalled(): boolean {
  const installed = statSync(join(suite, "node_modules/.package-lock.json"), { throwIfNoEntry: false });
  return installed !== undefined && installed.mtimeMs >= statSync(join(suite, "package-lock.json")).mtimeMs;
}

if (!isInstalled() && run("npm", ["ci", "--no-audit", "--no-fund"], suite) !== 0) {
  console.error("The clients under test could not be installed in tests/e2e.");
  process.exit(1);
}
const { plugin } = await packPlugin();
console.log(`Testing ${relative(root, plugin)}`);
process.exit(run("vitest", ["run", "--config", "tests/e2e/vitest.config.ts", ...process.argv.slice(2)], root));
