import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { clientParent } from "../guard/parent.ts";
import { Project } from "./project.ts";
import { Caller, mcpFactory } from "./server.ts";

export interface ServeOptions {
  readonly tools: "core" | "all";
  /** Narrows this process to one team's board; can only take rights away. */
  readonly team?: string | undefined;
  readonly start: string;
  /** The client's session, from its environment. */
  readonly session: string | undefined;
}

/** Serves MCP over stdio until the input closes. Nothing but the protocol is written to stdout. */
export async function serve(options: ServeOptions): Promise<void> {
  const insideClient = options.session !== undefined && clientParent();
  const project = new Project({
    start: options.start,
    // a server started by hand inside a session is told by nobody who calls it, and must not write
    defaultIdentity: options.session === undefined ? "advisory" : "strict",
    hasGuard: insideClient,
  });
  await project.open().catch(() => {}); // told at each call
  const caller = new Caller(() => project.open(), options.team);
  const handle = serveStdio(mcpFactory(caller, options.tools));
  await untilClosed();
  await handle.close().catch(() => {});
  const opened = await project.opened();
  if (!opened) return;
  await caller.leave(opened, options.session).catch(() => {});
  await opened.close();
}

/** Resolves when the client has gone: its end of the pipe closed, or it asked us to stop. */
function untilClosed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once("end", resolve);
    process.stdin.once("close", resolve);
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
