import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import { clientAncestor, clientIsGone, clientParent } from "../guard/parent.ts";
import type { Calls } from "./answer.ts";
import type { Caller } from "./caller.ts";
import { builtListing } from "./listing.ts";
import { Project } from "./project.ts";
import type { Dialog } from "./questions.ts";
import { mcpFactory } from "./server.ts";

export interface ServeOptions {
  readonly tools: "core" | "all";
  /** Narrows this process to one team's board; can only take rights away. */
  readonly team?: string | undefined;
  readonly start: string;
  /** The client's session, from its environment. */
  readonly session: string | undefined;
}

/**
 * Serves MCP over stdio until the input closes. Nothing but the protocol is written to stdout.
 * @returns the exit code
 */
export async function serve(options: ServeOptions): Promise<number> {
  const insideClient = options.session !== undefined && clientParent();
  const client = insideClient ? clientAncestor() : undefined;
  const project = new Project({
    start: options.start,
    // a server started by hand inside a session is told by nobody who calls it, and must not write
    defaultIdentity: options.session === undefined ? "advisory" : "strict",
    hasGuard: insideClient,
  });
  const late = new LateCaller(project, options.team);
  const wire = new StdioServerTransport();
  let last: Error | undefined;
  const handle = serveStdio(
    mcpFactory(late, await builtListing(options.tools), () => late.warm()),
    {
      transport: wire,
      onerror: (error) => {
        last = error;
      },
    },
  );
  // the client waits for an answer that needs neither configuration nor store
  setImmediate(() => setImmediate(() => void project.start()));
  const isOrderly = await untilClosed(wire);
  if (!isOrderly) process.stderr.write(`teamwright serve: the connection broke: ${last?.message ?? "it was closed"}\n`);
  await handle.close().catch(() => {});
  const opened = await project.opened();
  if (opened) {
    const isOver = client !== undefined && (await clientIsGone(client));
    await (await late.caller()).leave(opened, isOver ? options.session : undefined).catch(() => {});
    await opened.close();
  }
  return isOrderly ? 0 : 1;
}

/** Loads the operations when the client has its list of tools, or with the first call: no start waits for them. */
class LateCaller implements Calls {
  clientName: string | undefined;
  readonly #project: Project;
  readonly #team: string | undefined;
  #caller: Promise<Caller> | undefined;

  constructor(project: Project, team: string | undefined) {
    this.#project = project;
    this.#team = team;
  }

  warm(): void {
    setImmediate(() => void Promise.all([this.caller(), this.#project.open()]).catch(() => {}));
  }

  async caller(): Promise<Caller> {
    this.#caller ??= import("./caller.ts").then((module) => new module.Caller(() => this.#project.open(), this.#team));
    const caller = await this.#caller;
    caller.clientName ??= this.clientName;
    return caller;
  }

  async guardCall(input: Record<string, unknown>) {
    return (await this.caller()).guardCall(input);
  }

  async call(name: string, input: unknown, toolUseId: string | undefined, dialog?: Dialog) {
    return (await this.caller()).call(name, input, toolUseId, dialog);
  }
}

/**
 * Resolves with true when the client has gone: its end of the pipe closed, or it asked us to stop. With false when the
 * transport gives up before, as on a message beyond its limit of 10 MiB.
 */
function untilClosed(wire: StdioServerTransport): Promise<boolean> {
  return new Promise((resolve) => {
    for (const event of ["end", "close"]) process.stdin.once(event, () => resolve(true));
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => resolve(true));
    const { onclose } = wire;
    wire.onclose = () => {
      onclose?.();
      setImmediate(() => resolve(process.stdin.readableEnded || process.stdin.destroyed));
    };
  });
}
