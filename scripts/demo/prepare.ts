/** What has to stand before the agents can start: a bundle of the present sources, a project folder, the backlog in it. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Answer } from "./agent.ts";

const root = join(import.meta.dirname, "../..");
const example = join(root, "examples/two-teams");
const bundle = join(root, "dist/lib/main.cjs");
const run = promisify(execFile);

/** True when a source is newer than the bundle, or there is none. */
export function isBundleStale(): boolean {
  if (!existsSync(bundle)) return true;
  const built = statSync(bundle).mtimeMs;
  const sources = readdirSync(join(root, "mcp-server/src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name));
  const others = ["package.json", "package-lock.json", "scripts/build.ts"].map((name) => join(root, name));
  return [...sources, ...others].some((file) => statSync(file).mtimeMs > built);
}

/** Builds beside dist/ and swaps, so that a server of another run never finds half a bundle. */
export async function buildBundle(): Promise<void> {
  const { buildDist } = await import("../build.ts");
  const fresh = join(root, `out/dist-${process.pid}`);
  const old = join(root, `out/dist-old-${process.pid}`);
  mkdirSync(join(root, "out"), { recursive: true });
  await buildDist(fresh);
  if (existsSync(join(root, "dist"))) renameSync(join(root, "dist"), old);
  renameSync(fresh, join(root, "dist"));
  rmSync(old, { recursive: true, force: true });
}

/** A project of its own: with a repository in it, the store is not looked for in ours. */
export function makeProject(folder: string): void {
  if (existsSync(join(folder, ".teamwright")))
    throw new Error(`${folder} holds a store already; choose another folder.`);
  mkdirSync(folder, { recursive: true });
  cpSync(join(example, "teamwright.yaml"), join(folder, "teamwright.yaml"));
  cpSync(join(example, "backlog.jsonl"), join(folder, "backlog.jsonl"));
  for (const part of ["objects", "refs/heads"]) mkdirSync(join(folder, ".git", part), { recursive: true });
  writeFileSync(join(folder, ".git/HEAD"), "ref: refs/heads/main\n");
  writeFileSync(join(folder, ".git/config"), "[core]\n\trepositoryformatversion = 0\n\tbare = false\n");
}

/** The command line, as the person who leads both teams would use it. */
export async function teamwright(folder: string, ...args: string[]): Promise<Answer> {
  const env: NodeJS.ProcessEnv = { ...process.env, TEAMWRIGHT_DIST: "1", NO_COLOR: "1" };
  delete env.CLAUDE_PROJECT_DIR;
  const options = { cwd: folder, env, maxBuffer: 16_000_000 };
  const command = [join(root, "bin/teamwright"), ...args, "--json"];
  // a check that finds something answers as well, with another exit code
  const { stdout, stderr } = await run(process.execPath, command, options).catch((failure) => failure);
  if (typeof stdout !== "string" || stdout === "")
    throw new Error(`teamwright ${args.join(" ")}: ${stderr || "no answer"}`);
  return JSON.parse(stdout);
}
