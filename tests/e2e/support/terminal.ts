/** Runs the real client in a terminal: tmux on a private socket, typed into and read like a person would. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { type ClientVersion, cleanEnvironment, clientBinary, seedInteractiveHome } from "./sandbox.ts";

const run = promisify(execFile);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export interface InteractiveOptions {
  readonly version: ClientVersion;
  readonly cwd: string;
  readonly home: string;
  readonly model: { readonly url: string };
  readonly pluginDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** On by default: a named Agent call then makes a teammate. */
  readonly agentTeams?: boolean;
  readonly args?: readonly string[];
}
export interface Terminal extends AsyncDisposable {
  /** Process id of the client. */
  readonly pid: number;
  /** What the screen shows now. */
  screen(): Promise<string>;
  /** Waits until the screen matches; throws with the screen's text after the limit. */
  waitFor(pattern: string | RegExp, timeoutMs?: number): Promise<string>;
  /** Types one line and presses Enter. */
  prompt(text: string): Promise<void>;
  /** Presses keys by their tmux names: "Escape", "C-c", "Down" … */
  press(...keys: string[]): Promise<void>;
  /** Ends the session as `/exit` does and waits until the client is gone; then stops the terminal. */
  exit(timeoutMs?: number): Promise<void>;
  /** Stops the terminal and whatever runs in it. */
  stop(): Promise<void>;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Starts the client and waits for its prompt box. */
export async function startInteractive(options: InteractiveOptions): Promise<Terminal> {
  const { version, cwd, home, model, pluginDir, agentTeams = true, args = [] } = options;
  await seedInteractiveHome(home, cwd);
  const socket = `teamwright-${randomBytes(6).toString("hex")}`;
  const tmux = async (...command: string[]) =>
    (await run("tmux", ["-L", socket, "-f", "/dev/null", ...command])).stdout;
  const environment = cleanEnvironment(home, model.url, {
    TERM: "tmux-256color",
    ...(agentTeams ? { CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS: "1" } : {}),
    ...options.env,
  });
  const pairs = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
  const plugin = pluginDir ? ["--plugin-dir", pluginDir] : [];
  const client = [clientBinary(version), ...plugin, "--dangerously-skip-permissions", ...args];
  await tmux("new-session", "-d", "-x", "180", "-y", "50", "-c", cwd, "--", "env", "-i", ...pairs, ...client);
  const pid = Number(await tmux("display-message", "-p", "#{pane_pid}"));

  const screen = () => tmux("capture-pane", "-p").catch(() => "(the terminal has ended)");
  async function stop(): Promise<void> {
    await tmux("kill-server").catch(() => undefined);
    for (let tries = 0; tries < 20 && alive(pid); tries += 1) await sleep(100);
    if (alive(pid)) process.kill(pid, "SIGKILL");
  }
  async function waitFor(pattern: string | RegExp, timeoutMs = 90_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const shown = await screen();
      if (typeof pattern === "string" ? shown.includes(pattern) : pattern.test(shown)) return shown;
      if (Date.now() > deadline) throw new Error(`The screen never showed ${pattern}:\n${shown}`);
      await sleep(100);
    }
  }
  async function prompt(text: string): Promise<void> {
    await tmux("send-keys", "-l", "--", text);
    // Enter that comes at once is taken for part of a paste.
    await sleep(1000);
    await tmux("send-keys", "Enter");
  }
  const terminal: Terminal = {
    pid,
    screen,
    waitFor,
    prompt,
    async press(...keys) {
      await tmux("send-keys", ...keys);
    },
    async exit(timeoutMs = 40_000) {
      await prompt("/exit");
      const deadline = Date.now() + timeoutMs;
      while (alive(pid) && Date.now() < deadline) await sleep(100);
      await stop();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
  try {
    await waitFor(/^\s*[❯>]/m);
  } catch (error) {
    await stop();
    throw error;
  }
  return terminal;
}
