/** Runs the real client without a terminal: one prompt, or one of its maintenance commands. */
import { spawn } from "node:child_process";
import { type ClientVersion, cleanEnvironment, clientBinary } from "./sandbox.ts";

export interface RunOptions {
  readonly version: ClientVersion;
  readonly cwd: string;
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Hard limit; the process group is killed after it. */
  readonly timeoutMs?: number;
}
export interface PromptOptions extends RunOptions {
  readonly prompt: string;
  readonly model: { readonly url: string };
  readonly pluginDir?: string;
  /** More command-line arguments, such as `["--resume", sessionId]`. */
  readonly args?: readonly string[];
  /** Called with the running process's id, to observe or to kill it in the middle. */
  readonly onStart?: (pid: number) => void;
}
export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}
export interface PromptResult extends CommandResult {
  /** What `--output-format json` printed: `result`, `session_id`, `is_error`, `num_turns` … */
  readonly json: Readonly<Record<string, unknown>> | undefined;
  readonly text: string;
  readonly sessionId: string;
}

/** The unreachable address of runs that need no model: anything they ask fails at once. */
const noModel = "http://127.0.0.1:9";

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}

export function runCommand(
  args: readonly string[],
  options: RunOptions & { readonly modelUrl?: string; readonly onStart?: (pid: number) => void },
): Promise<CommandResult> {
  const { version, cwd, home, env, modelUrl = noModel, timeoutMs = 180_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(clientBinary(version), args, {
      cwd,
      env: cleanEnvironment(home, modelUrl, env),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const { pid } = child;
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (pid) killGroup(pid);
    }, timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on("error", reject);
    child.on("exit", () => {
      // Whatever the client left behind in its group holds the pipes open.
      setTimeout(() => pid && killGroup(pid), 2000).unref();
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, timedOut, stdout, stderr });
    });
    if (pid) options.onStart?.(pid);
  });
}

/** `claude -p "<prompt>"` against the scripted model, with permissions skipped as a swarm runs it. */
export async function runClaude(options: PromptOptions): Promise<PromptResult> {
  const { prompt, pluginDir, model, args = [], ...rest } = options;
  const plugin = pluginDir ? ["--plugin-dir", pluginDir] : [];
  const ran = await runCommand(
    ["-p", prompt, ...plugin, "--dangerously-skip-permissions", "--output-format", "json", ...args],
    { ...rest, modelUrl: model.url },
  );
  const json = parseResult(ran.stdout);
  return { ...ran, json, text: String(json?.result ?? ""), sessionId: String(json?.session_id ?? "") };
}

function parseResult(stdout: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(stdout);
    // With --verbose the client prints the whole event list; the result is its last member.
    const last: unknown = Array.isArray(parsed) ? parsed.at(-1) : parsed;
    return typeof last === "object" && last !== null ? { ...last } : undefined;
  } catch {
    return undefined;
  }
}

/** `claude plugin validate <dir> …` */
export function validatePlugin(dir: string, options: RunOptions, ...flags: string[]): Promise<CommandResult> {
  return runCommand(["plugin", "validate", dir, ...flags], options);
}

/** `claude plugin marketplace add <source>` */
export function addMarketplace(source: string, options: RunOptions): Promise<CommandResult> {
  return runCommand(["plugin", "marketplace", "add", source], options);
}

/** `claude plugin install <plugin>@<marketplace> …` */
export function installPlugin(id: string, options: RunOptions, ...flags: string[]): Promise<CommandResult> {
  return runCommand(["plugin", "install", id, ...flags], options);
}

/** `claude mcp list`: also says whether each server connects. */
export function listServers(options: RunOptions): Promise<CommandResult> {
  return runCommand(["mcp", "list"], options);
}
