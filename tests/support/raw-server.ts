/** A server process spoken to in raw lines. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Built, cleanEnvironment, node } from "./processes.ts";

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
    { server }: Pick<Built, "server">,
    cwd: string,
    options: { args?: readonly string[]; env?: Record<string, string>; spawn?: SpawnOptions } = {},
  ) {
    this.process = spawn(node, [...server, "serve", ...(options.args ?? [])], {
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
