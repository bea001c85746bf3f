import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { build } from "esbuild";
import { buildDist } from "../scripts/build.ts";

export const repository = join(import.meta.dirname, "..");
const pinned = join(repository, "node_modules/node/bin/node");
export const node = existsSync(pinned) ? pinned : process.execPath;

/** One line of the table: ours against its floor, measured in the same run. */
export interface Measurement {
  readonly name: string;
  readonly ours: string;
  readonly floor: string;
  readonly ratio: number;
  /** Highest allowed ratio; lowest with `atLeast`. */
  readonly budget: number;
  readonly atLeast?: boolean;
  readonly note?: string;
}

export interface Bench {
  readonly folder: string;
  /** Arguments to node that start our server as it is shipped. */
  readonly server: readonly string[];
  readonly floorServer: string;
  readonly floorClaims: string;
  readonly claimWorker: string;
  readonly floorLint: string;
  readonly environment: Record<string, string>;
  readonly builtFrom: string;
}

export async function prepare(): Promise<Bench & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "teamwright-bench-"));
  const dist = join(folder, "dist");
  await buildDist(dist);
  const bundle = async (entry: string, name: string) => {
    const outfile = join(dist, "lib", name);
    await build({
      entryPoints: [join(repository, entry)],
      outfile,
      bundle: true,
      minify: true,
      platform: "node",
      format: "cjs",
      target: "node22.14",
      external: ["pg", "pg-native"],
      logLevel: "error",
      define: {
        "import.meta.url": "importMetaUrl",
        "import.meta.dirname": "__dirname",
        TEAMWRIGHT_VERSION: JSON.stringify("bench"),
      },
      banner: { js: 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;' },
    });
    return outfile;
  };
  // as in the packed plugin: bin/ beside dist/, no sources
  cpSync(join(repository, "bin"), join(folder, "bin"), { recursive: true });
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(CLAUDE|TEAMWRIGHT|NODE_)/.test(entry[0]),
  );
  return {
    folder,
    server: [join(folder, "bin/teamwright"), "serve"],
    floorServer: await bundle("bench/floor-server.ts", "floor-server.cjs"),
    floorClaims: await bundle("bench/floor-claims.ts", "floor-claims.cjs"),
    floorLint: await bundle("bench/floor-lint.ts", "floor-lint.cjs"),
    claimWorker: await bundle("tests/support/worker.ts", "worker.cjs"),
    environment: { ...Object.fromEntries(kept), NODE_COMPILE_CACHE: join(folder, "cache") },
    builtFrom: "a fresh bundle started by bin/teamwright, as packed",
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Runs the variants in turn, round after round, so that a busy moment of the machine hits all of them. */
export async function interleaved<T extends string>(
  rounds: number,
  variants: Readonly<Record<T, () => Promise<number>>>,
): Promise<Record<T, number[]>> {
  const names = Object.keys(variants) as T[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<T, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 ? [...names].reverse() : names;
    for (const name of order) results[name].push(await variants[name]());
  }
  return results;
}

/** Median over the rounds of ours ÷ floor of the same round. */
export function ratioOf(ours: readonly number[], floor: readonly number[]): number {
  return median(ours.map((value, index) => value / (floor[index] ?? value)));
}

export function inMs(value: number): string {
  return value >= 10
    ? `${value.toFixed(0)} ms`
    : value >= 1
      ? `${value.toFixed(2)} ms`
      : `${(value * 1000).toFixed(0)} µs`;
}

const initialize = `${JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "0" } },
})}\n`;

/** ms from spawn to the reply to initialize; the process is ended afterwards. */
export async function startAndInitialize(bench: Bench, args: readonly string[], cwd: string): Promise<number> {
  const begun = performance.now();
  const child = spawn(node, args, { cwd, stdio: ["pipe", "pipe", "ignore"], env: bench.environment });
  child.stdin.write(initialize);
  await once(child.stdout, "data");
  const taken = performance.now() - begun;
  child.stdin.end();
  child.kill("SIGTERM");
  await once(child, "close");
  return taken;
}

export async function runToEnd(bench: Bench, args: readonly string[], cwd?: string): Promise<number> {
  const begun = performance.now();
  await once(spawn(node, args, { stdio: "ignore", env: bench.environment, cwd }), "close");
  return performance.now() - begun;
}

export interface Connected extends AsyncDisposable {
  call(tool: string, input?: Record<string, unknown>): Promise<Answer>;
  readonly pid: number;
}
// answers are read member by member
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Answer = any;

export async function connect(
  bench: Bench,
  args: readonly string[],
  cwd: string,
  command = node,
  env: Record<string, string> = {},
): Promise<Connected> {
  const client = new Client({ name: "bench", version: "0" });
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    cwd,
    env: { ...bench.environment, ...env },
    stderr: "ignore",
  });
  await client.connect(transport);
  return {
    call: (name, input = {}) => client.callTool({ name, arguments: input }),
    pid: transport.pid ?? 0,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Median time of one call in ms, over so many calls. */
export async function p50(calls: number, call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < calls; n += 1) {
    const begun = performance.now();
    await call();
    times.push(performance.now() - begun);
  }
  return median(times);
}

/** Resident memory in MB; NaN where /proc is missing. */
export function residentMb(pid: number): number {
  if (process.platform !== "linux") return Number.NaN;
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** Workers that say `ready`, wait for a line and print their outcome. */
export async function raceWorkers(
  commands: readonly (readonly string[])[],
  bench: Bench,
): Promise<{ ms: number; done: string[]; refusals: unknown[] }> {
  const children: ChildProcess[] = commands.map((args) =>
    spawn(node, args, { stdio: ["pipe", "pipe", "inherit"], env: bench.environment }),
  );
  const lines = children.map((child) =>
    createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator](),
  );
  await Promise.all(lines.map((each) => each.next()));
  const begun = performance.now();
  for (const child of children) child.stdin?.write("go\n");
  const outcomes = await Promise.all(
    lines.map(async (each) => JSON.parse((await each.next()).value ?? "{}") as { done: string[]; refusals: unknown[] }),
  );
  const ms = performance.now() - begun;
  await Promise.all(children.map((child) => (child.exitCode === null ? once(child, "close") : undefined)));
  return {
    ms,
    done: outcomes.flatMap((outcome) => outcome.done),
    refusals: outcomes.flatMap((outcome) => outcome.refusals),
  };
}
