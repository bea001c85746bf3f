/** The only reader of argv and environment, and the only place that ends the process. */
async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  const start = process.env.CLAUDE_PROJECT_DIR || process.cwd();
  if (argv[0] === "serve") {
    const { serve } = await import("./surfaces/mcp/serve.ts");
    const { readServeOptions } = await import("./surfaces/mcp/serve-options.ts");
    const options = readServeOptions(argv.slice(1));
    if (typeof options === "string") {
      process.stderr.write(`${options}\n`);
      return 2;
    }
    await serve({ ...options, start, session: process.env.CLAUDE_CODE_SESSION_ID });
    return 0;
  }
  if (argv[0] === "hook") {
    const { runHook } = await import("./surfaces/guard/hook.ts");
    process.stdout.write(await runHook(argv[1] ?? "", await readStdin(), start));
    return 0;
  }
  const { runCli } = await import("./surfaces/cli/cli.ts");
  const { insideClient } = await import("./surfaces/guard/parent.ts");
  return runCli(argv, {
    cwd: process.cwd(),
    user: process.env.USER || process.env.USERNAME || "person",
    isCi: Boolean(process.env.CI),
    insideClient,
    noColour: Boolean(process.env.NO_COLOR),
  });
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
