/** Where a client run lives: its binary, its own HOME, its project folder, its clean environment. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type ClientVersion = "oldest" | "newest";
export const clientVersions: readonly ClientVersion[] = ["oldest", "newest"];

const packageRoot = fileURLToPath(new URL("..", import.meta.url));
const repositoryRoot = fileURLToPath(new URL("../../..", import.meta.url));
const dummyKey = "sk-ant-api03-scripted-model-on-loopback-needs-no-real-key";

/** The native binary sits in the optional dependency of this platform; no install script is needed to reach it. */
export function clientBinary(version: ClientVersion): string {
  const require = createRequire(join(packageRoot, `node_modules/claude-${version}/package.json`));
  const platform = `${process.platform}-${process.arch}`;
  for (const candidate of [platform, `${platform}-musl`]) {
    try {
      const folder = dirname(require.resolve(`@anthropic-ai/claude-code-${candidate}/package.json`));
      return join(folder, process.platform === "win32" ? "claude.exe" : "claude");
    } catch {
      // Not the libc of this machine.
    }
  }
  throw new Error(`No claude-${version} for ${platform}: run "npm ci" in tests/e2e.`);
}

/** The environment of a fresh machine: the pinned Node first on PATH, a dummy key, loopback only. */
export function cleanEnvironment(home: string, modelUrl: string, extra: Readonly<Record<string, string>> = {}) {
  return {
    HOME: home,
    PATH: [join(repositoryRoot, "node_modules/.bin"), "/usr/local/bin", "/usr/bin", "/bin"].join(":"),
    LANG: "C.UTF-8",
    SHELL: "/bin/sh",
    TMPDIR: join(home, "tmp"),
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_API_KEY: dummyKey,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_ENABLE_PROMPT_SUGGESTION: "false",
    DISABLE_AUTOUPDATER: "1",
    IS_SANDBOX: "1",
    ...extra,
  };
}

export interface Sandbox extends AsyncDisposable {
  readonly root: string;
  readonly home: string;
  /** A git repository with one commit, so that worktrees can be made. */
  readonly project: string;
}

export async function openSandbox(files: Readonly<Record<string, string>> = {}): Promise<Sandbox> {
  const root = await mkdtemp(join(tmpdir(), "teamwright-e2e-"));
  const home = join(root, "home");
  const project = join(root, "project");
  await mkdir(join(home, "tmp"), { recursive: true });
  for (const [name, text] of Object.entries({ "README.md": "# A project\n", ...files })) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), text);
  }
  const git = (...args: string[]) => execFileSync("git", args, { cwd: project, stdio: "pipe" });
  git("init", "-q", "-b", "main");
  git("config", "user.name", "Ada");
  git("config", "user.email", "ada@example.com");
  git("add", "-A");
  git("commit", "-q", "-m", "Begin");
  return {
    root,
    home,
    project,
    async [Symbol.asyncDispose]() {
      if (process.env.KEEP_SANDBOX) console.error(`kept ${root}`);
      else await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** Answers the first-start questions of an interactive client: theme, key, trust, skipping permissions. */
export async function seedInteractiveHome(home: string, cwd: string): Promise<void> {
  const config = {
    hasCompletedOnboarding: true,
    theme: "dark",
    bypassPermissionsModeAccepted: true,
    customApiKeyResponses: { approved: [dummyKey.slice(-20)], rejected: [] },
    projects: { [cwd]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true, allowedTools: [] } },
  };
  const settings = join(home, ".claude/settings.json");
  await writeFile(join(home, ".claude.json"), JSON.stringify(config));
  if (existsSync(settings)) return;
  await mkdir(dirname(settings), { recursive: true });
  await writeFile(settings, JSON.stringify({ skipDangerousModePermissionPrompt: true }));
}
