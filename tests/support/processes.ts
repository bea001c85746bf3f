/** Real processes for tests: the bundled program, worker processes, project folders. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { buildDist } from "../../scripts/build.ts";
import type { Job, Outcome } from "./worker.ts";

const repository = join(import.meta.dirname, "../..");

/** The pinned Node, also when the tests themselves were started by an older one. */
export const node = pinnedNode();

function pinnedNode(): string {
  const pinned = join(repository, "node_modules/node/bin/node");
  return existsSync(pinned) ? pinned : process.execPath;
}

export interface Built {
  /** What follows `node` to start the server. */
  readonly server: readonly string[];
  readonly worker: string;
}

let built: Promise<Built> | undefined;

/** The bundle as it is shipped, in a folder of this test run. */
export function ensureBuilt(): Promise<Built> {
  built ??= buildOnce();
  return built;
}

async function buildOnce(): Promise<Built> {
  const folder = mkdtempSync(join(tmpdir(), "teamwright-dist-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755); // a test runs the server as another user
  const dist = join(folder, "dist");
  await buildDist(dist);
  const worker = join(dist, "lib", `worker-${process.pid}.cjs`);
  await build({
    entryPoints: [join(import.meta.dirname, "worker.ts")],
    outfile: worker,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node22.14",
    external: ["pg-native"],
    define: {
      TEAMWRIGHT_VERSION: '"test"',
      "import.meta.url": "importMetaUrl",
      "import.meta.dirname": "__dirname",
    },
    banner: { js: 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;' },
    logLevel: "error",
  });
  return { server: [join(dist, "lib/main.cjs")], worker };
}

/** Nothing of the session that runs the tests may reach what they start. */
export function cleanEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(CI$|CLAUDE|TEAMWRIGHT|VITEST|NODE_OPTIONS|NODE_COMPILE|NODE_V8)/.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

export type StoreKind = "sqlite" | "postgres";

/** PostgreSQL too when TEAMWRIGHT_TEST_POSTGRES names a server. */
export const stores: readonly StoreKind[] = process.env.TEAMWRIGHT_TEST_POSTGRES ? ["sqlite", "postgres"] : ["sqlite"];

export interface Project extends AsyncDisposable {
  readonly root: string;
  /** Of its own database, on PostgreSQL. */
  readonly url: string;
}

/** A folder with a configuration; on PostgreSQL with a database of its own. */
export async function openProject(kind: StoreKind, config = ""): Promise<Project> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "teamwright-proc-")));
  const database = kind === "postgres" ? await createDatabase(root, config) : undefined;
  if (kind === "sqlite" && config !== "") writeFileSync(join(root, "teamwright.yaml"), config);
  return {
    root,
    url: database?.url ?? "",
    async [Symbol.asyncDispose]() {
      await database?.drop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function createDatabase(root: string, config: string): Promise<{ url: string; drop(): Promise<void> }> {
  const base = process.env.TEAMWRIGHT_TEST_POSTGRES ?? "";
  const { default: pg } = await import("pg");
  const name = `tw_${randomBytes(6).toString("hex")}`;
  const run = async (statement: string) => {
    const client = new pg.Client({ connectionString: base });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  await run(`create database ${name}`);
  const url = new URL(base);
  url.pathname = `/${name}`;
  writeFileSync(join(root, "teamwright.yaml"), `${config}\nstorage: { url: "${url}" }\n`);
  return { url: url.toString(), drop: () => run(`drop database ${name} with (force)`) };
}

/** A command of the shipped program, with how it ended and what it answered. */
export async function startCommand(project: Project, args: readonly string[]) {
  const { server } = await ensureBuilt();
  const child = spawn(node, [...server, ...args, "--json"], { cwd: project.root, env: cleanEnvironment() });
  let out = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  const ended = once(child, "close").then(([code]) => ({
    code: code as number | null,
    answer: out ? JSON.parse(out) : {},
  }));
  return { child, ended };
}

/** A worker process that has loaded everything and waits for `go`. */
export class Worker {
  readonly process: ChildProcess;
  readonly said: unknown[] = [];
  readonly exited: Promise<void>;
  #waiting: (() => void)[] = [];
  #stderr = "";
  #over = false;

  constructor(file: string, job: Job) {
    this.process = spawn(node, [file, JSON.stringify(job)], {
      stdio: ["pipe", "pipe", "pipe"],
      env: cleanEnvironment(),
    });
    this.process.stdin?.on("error", () => {}); // it may have been killed on purpose
    this.process.stderr?.on("data", (data) => {
      this.#stderr += data;
    });
    if (this.process.stdout) {
      createInterface({ input: this.process.stdout }).on("line", (line) => {
        this.said.push(JSON.parse(line));
        this.#wake();
      });
    }
    this.exited = once(this.process, "close").then(() => {
      this.#over = true;
      this.#wake();
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** The line of this number, when it has come. */
  async line(index: number): Promise<unknown> {
    while (this.said.length <= index) {
      if (this.#over)
        throw new Error(`worker ended before line ${index}: ${JSON.stringify(this.said)} ${this.#stderr}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.said[index];
  }

  go(): void {
    this.process.stdin?.write("go\n");
  }

  get stderr(): string {
    return this.#stderr;
  }
}

/** Starts one worker per job, lets them go at the same moment and gives their outcomes. */
export async function race(jobs: readonly Job[]): Promise<Outcome[]> {
  const { worker } = await ensureBuilt();
  const workers = jobs.map((job) => new Worker(worker, job));
  await Promise.all(workers.map((each) => each.line(0)));
  for (const each of workers) each.go();
  return Promise.all(workers.map(async (each) => (await each.line(1)) as Outcome));
}

/** Text that only a database driver would write. */
export const rawDatabaseText =
  /SQLITE_|database is locked|constraint failed|duplicate key|deadlock detected|could not serialize|syntax error|relation ".*" does not|no such (table|column)/i;
