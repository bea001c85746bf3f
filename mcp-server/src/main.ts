/** The only reader of argv and environment, and the only place that ends the process. */
async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  const cwd = currentFolder();
  const start = process.env.CLAUDE_PROJECT_DIR || cwd;
  if (start === undefined) return withoutFolder();
  if (argv[0] === "serve") {
    (await import("./kernel/interpreted-schemas.ts")).interpretSchemas();
    const { serve } = await import("./surfaces/mcp/serve.ts");
    const { readServeOptions } = await import("./surfaces/mcp/serve-options.ts");
    const options = readServeOptions(argv.slice(1));
    if (typeof options === "string") {
      process.stderr.write(`${options}\n`);
      return 2;
    }
    return serve({ ...options, start, session: process.env.CLAUDE_CODE_SESSION_ID });
  }
  if (argv[0] === "hook" && argv[1] === "message-watch") return watch(start);
  if (argv[0] === "hook") {
    const { runHook } = await import("./surfaces/guard/hook.ts");
    process.stdout.write(await runHook(argv[1] ?? "", await readStdin(), start));
    return 0;
  }
  if (argv[0] === "play" && process.send) return play();
  if (cwd === undefined) return withoutFolder();
  const { runCli } = await import("./surfaces/cli/cli.ts");
  const { insideClient, isMarked } = await import("./surfaces/guard/parent.ts");
  return runCli(argv, {
    cwd,
    user: await osUser(),
    isCi: Boolean(process.env.CI),
    insideClient: (root) => insideClient(root, isMarked(process.env)),
    noColour: Boolean(process.env.NO_COLOR),
    isDumb: process.env.TERM === "dumb",
  });
}

function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined; // somebody has removed it
  }
}

function withoutFolder(): number {
  process.stderr.write("teamwright: the folder you are in is gone; change to another.\n");
  return 2;
}

/** A process that another of ours has begun to play experiments beside it. */
async function play(): Promise<number> {
  await import("./features/index.ts"); // what is played is what the table has
  const { playForParent } = await import("./features/experiment/player.ts");
  await playForParent();
  return 0;
}

/** The plugin's monitor: lives as long as the client that started it, and says nothing without a session. */
async function watch(start: string): Promise<number> {
  const session = process.env.CLAUDE_CODE_SESSION_ID;
  if (!session) {
    process.stderr.write("teamwright hook message-watch runs inside a session of the client\n");
    return 2;
  }
  const [{ watchMessages }, { clientAncestor }] = await Promise.all([
    import("./surfaces/guard/watch.ts"),
    import("./surfaces/guard/parent.ts"),
  ]);
  const client = clientAncestor() ?? process.ppid;
  let isRead = true;
  process.stdout.on("error", () => {
    isRead = false;
  });
  await watchMessages({
    start,
    session,
    write: (line) => void process.stdout.write(`${line}\n`),
    isWanted: () => isRead && isAlive(client),
  });
  return 0;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The operating system's word for who runs this; the environment is asked only where it has none. */
async function osUser(): Promise<string> {
  const { userInfo } = await import("node:os");
  try {
    const { username } = userInfo();
    if (username !== "") return username;
  } catch {
    // a user id without an account, as in some containers
  }
  return process.env.USER || process.env.USERNAME || "person";
}

async function readStdin(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) text += chunk;
  return text;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(70);
  },
);
