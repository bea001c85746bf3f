/** Real processes for tests: the bundled server spoken to in raw lines, worker processes, project folders. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
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
const source = join(repository, "mcp-server/src/main.ts");

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
  readonly fromSource: boolean;
}

let built: Promise<Built> | undefined;

/** The bundle as it is shipped, in a folder of this test run; the sources when the build fails. */
export function ensureBuilt(): Promise<Built> {
  built ??= buildOnce();
  return built;
}

async function buildOnce(): Promise<Built> {
  const folder = mkdtempSync(join(tmpdir(), "teamwright-dist-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755); // a test runs the server as another user
  const dist = join(folder, "dist");
  const fromSource = await buildDist(dist).then(
    () => false,
    () => true,
  );
  const worker = join(fromSource ? join(repository, "node_modules/.cache") : dist, "lib", `worker-${process.pid}.cjs`);
  await build({
    entryPoints: [join(import.meta.dirname, "worker.ts")],
    outfile: worker,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node22.14",
    external: ["pg-native", ...(fromSource ? ["better-sqlite3", "pg"] : [])],
    define: {
      TEAMWRIGHT_VERSION: '"test"',
      "import.meta.url": "importMetaUrl",
      "import.meta.dirname": "__dirname",
    },
    banner: { js: 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;' },
    logLevel: "error",
  });
  if (fromSource) process.once("exit", () => rmSync(worker, { force: true }));
  return { server: [fromSource ? source : join(dist, "lib/main.cjs")], worker, fromSource };
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

// a test reads members of whatever a server answered; the shapes are the protocol's own
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Reply = any;

export const modern = "2026-07-28";
export const legacy = "2025-11-25";

/** A server process spoken to in raw JSON lines, so that a test sees every byte it writes. */
export class RawServer {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  stderr = "";
  #next = 1;
  #pending = new Map<number, (message: Reply) => void>();
  #over = false;

  constructor(
    built: Built,
    cwd: string,
    options: { args?: readonly string[]; env?: Record<string, string>; spawn?: SpawnOptions } = {},
  ) {
    this.process = spawn(node, [...built.server, "serve", ...(options.args ?? [])], {
      ...options.spawn,
      cwd,
      stdio: ["pipe", "pipe", "pipe"],
      env: cleanEnvironment(options.env),
    });
    this.process.stdin?.on("error", () => {});
    this.process.stderr?.on("data", (data) => {
      this.stderr += data;
    });
    if (this.process.stdout) createInterface({ input: this.process.stdout }).on("line", (line) => this.#take(line));
    this.exited = once(this.process, "close").then(([code, signal]) => {
      this.#over = true;
      for (const resolve of this.#pending.values()) resolve({ error: { code: "EXITED", message: this.stderr } });
      return { code: code as number | null, signal: signal as string | null };
    });
  }

  #take(line: string): void {
    this.lines.push(line);
    let message: Reply;
    try {
      message = JSON.parse(line);
    } catch {
      return; // the test finds it in `lines`
    }
    const resolve = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    resolve?.(message);
  }

  write(text: string): void {
    this.process.stdin?.write(text);
  }

  notify(method: string, params: unknown = {}): void {
    this.write(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`);
  }

  request(method: string, params: unknown = {}): Promise<Reply> {
    if (this.#over) return Promise.resolve({ error: { code: "EXITED", message: this.stderr } });
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    });
  }

  async initialize(protocolVersion = legacy): Promise<Reply> {
    const params = { protocolVersion, capabilities: {}, clientInfo: { name: "raw", version: "1" } };
    const reply = await this.request("initialize", params);
    this.notify("notifications/initialized");
    return reply;
  }

  /** The structured answer of a tool; a refusal comes back as `{error}`, a protocol error too. */
  async call(name: string, input: unknown = {}): Promise<Reply> {
    const reply = await this.request("tools/call", { name, arguments: input });
    return reply.error ? { protocolError: reply.error } : reply.result.structuredContent;
  }

  /** Closes its input and waits for its end. */
  async end(): Promise<{ code: number | null; signal: string | null; ms: number }> {
    const begun = performance.now();
    this.process.stdin?.end();
    const exit = await this.exited;
    return { ...exit, ms: performance.now() - begun };
  }
}

/** Fails when anything but JSON-RPC was written. */
export function onlyProtocol(server: RawServer): string[] {
  return server.lines.filter((line) => {
    try {
      return JSON.parse(line).jsonrpc !== "2.0";
    } catch {
      return true;
    }
  });
}

/** Text that only a database driver would write. */
export const rawDatabaseText =
  /SQLITE_|database is locked|constraint failed|duplicate key|deadlock detected|could not serialize|syntax error|relation ".*" does not|no such (table|column)/i;
