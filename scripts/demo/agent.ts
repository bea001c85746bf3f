/** One scripted agent: a real MCP client on a server process of its own. */
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { getDefaultEnvironment, StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { version } from "../../mcp-server/src/version.ts";

const launcher = join(import.meta.dirname, "../../bin/teamwright");

export type Mood = "starting" | "working" | "review" | "waiting" | "blocked" | "idle" | "down" | "done";

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

// the demo reads members of whatever an operation answered; the shapes are the operations' own
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Answer = any;

/** Times in ms by what the agent was doing, and what the servers answered. */
export interface AgentRecord {
  calls: number;
  callMs: number[];
  workedMs: number;
  /** Refused by a limit, until it had room. */
  waitedMs: number;
  blockedMs: number;
  refusals: number;
  processes: number;
}

export class Agent {
  mood: Mood = "starting";
  doing = "";
  closed = 0;
  readonly record: AgentRecord = {
    calls: 0,
    callMs: [],
    workedMs: 0,
    waitedMs: 0,
    blockedMs: 0,
    refusals: 0,
    processes: 0,
  };
  readonly name: string;
  readonly team: string;
  readonly #folder: string;
  #client: Client | undefined;
  #pid: number | undefined;
  #errors = "";

  constructor(name: string, team: string, folder: string) {
    this.name = name;
    this.team = team;
    this.#folder = folder;
  }

  /** What its servers wrote to standard error. */
  get errorOutput(): string {
    return this.#errors;
  }

  async start(): Promise<void> {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [launcher, "serve", "--team", this.team],
      cwd: this.#folder,
      env: { ...getDefaultEnvironment(), TEAMWRIGHT_DIST: "1" },
      stderr: "pipe",
    });
    transport.stderr?.on("data", (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    const client = new Client({ name: this.name, version });
    await client.connect(transport);
    this.#client = client;
    this.#pid = transport.pid ?? undefined;
    this.record.processes += 1;
    this.be("idle");
  }

  be(mood: Mood, doing = ""): void {
    this.mood = mood;
    this.doing = doing;
  }

  /** Calls a tool; a refusal comes back as `{error}`. */
  async call(tool: string, input: Record<string, unknown> = {}): Promise<Answer> {
    if (!this.#client) throw new Error(`${this.name} has no server`);
    const begun = performance.now();
    const answer = await this.#client.callTool({ name: tool, arguments: input });
    this.record.calls += 1;
    this.record.callMs.push(performance.now() - begun);
    return answer.structuredContent;
  }

  /** The same where nothing but success is expected. */
  async must(tool: string, input: Record<string, unknown> = {}): Promise<Answer> {
    const answer = await this.call(tool, input);
    if (answer?.error) throw new Error(`${this.name}: ${tool}: ${answer.error.code} ${answer.error.message}`);
    return answer;
  }

  /** Ends the server the hard way, as a crash does: no farewell, no release of what it holds. */
  kill(): void {
    if (this.#pid !== undefined) endProcess(this.#pid, "SIGKILL");
    this.#pid = undefined;
    this.#client?.close().catch(() => {});
    this.#client = undefined;
    this.be("down");
  }

  /** An orderly end: the server sees its input close and leaves. */
  async stop(): Promise<void> {
    await this.#client?.close().catch(() => {});
    this.#client = undefined;
    this.#pid = undefined;
  }
}

function endProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has gone by itself
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
