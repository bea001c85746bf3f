import { Server } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { findOperation, operations } from "../../features/index.ts";
import { execute, type Runtime } from "../../kernel/execute.ts";
import { hint, renderError, TeamwrightError } from "../../kernel/errors.ts";
import { nearest } from "../../kernel/nearest.ts";
import type { RenderView } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { isRecord } from "../../kernel/records.ts";
import { openRuntime } from "../../runtime.ts";
import { version } from "../../version.ts";
import { plainView } from "../cli/view.ts";
import { Guard } from "../guard/guard.ts";
import { clientParent } from "../guard/parent.ts";
import { instructions } from "./instructions.ts";
import { fenceStored, listTools } from "./tools.ts";

export interface ServeOptions {
  readonly tools: "core" | "all";
  /** Narrows this process to one team's board; can only take rights away. */
  readonly team?: string | undefined;
  readonly start: string;
  /** The client's session, from its environment. */
  readonly session: string | undefined;
}

const GUARD_TOOL = "guard";
const TOOL_USE_ID = "claudecode/toolUseId";

interface ToolAnswer {
  [key: string]: unknown;
  content: { type: "text"; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

/** Serves MCP over stdio until the input closes. Nothing but the protocol is written to stdout. */
export async function serve(options: ServeOptions): Promise<void> {
  const insideClient = options.session !== undefined && clientParent();
  const opened = await openRuntime({
    start: options.start,
    defaultIdentity: insideClient ? "strict" : "advisory",
  }).catch((error: unknown) => failure(error));
  const guard = opened instanceof TeamwrightError || !insideClient ? undefined : new Guard(opened);
  const caller = new Caller(opened, guard, options.team);
  const listed = listTools(operations, options.tools);
  const names = listed.map((tool) => tool.name);

  const factory = () => {
    const server = new Server({ name: "teamwright", version }, { capabilities: { tools: {} }, instructions });
    server.setRequestHandler("tools/list", async () => ({ tools: listed }));
    server.setRequestHandler("tools/call", async (request) => {
      const { name, arguments: input, _meta: meta } = request.params;
      caller.clientName ??= server.getClientVersion()?.name;
      if (name === GUARD_TOOL) return caller.guardCall(input ?? {});
      if (!names.includes(name)) return unknownTool(name, names);
      const toolUseId = isRecord(meta) ? meta[TOOL_USE_ID] : undefined;
      return caller.call(name, input, typeof toolUseId === "string" ? toolUseId : undefined);
    });
    return server;
  };
  const handle = serveStdio(factory);
  await untilClosed();
  await handle.close().catch(() => {});
  if (!(opened instanceof TeamwrightError)) {
    await caller.leave(options.session).catch(() => {});
    await opened.close();
  }
}

/** Resolves when the client has gone: its end of the pipe closed, or it asked us to stop. */
function untilClosed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once("end", resolve);
    process.stdin.once("close", resolve);
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

function failure(error: unknown): TeamwrightError {
  if (error instanceof TeamwrightError) return error;
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return new TeamwrightError("UNAVAILABLE", "Teamwright could not open its store; its error output says why.");
}

class Caller {
  clientName: string | undefined;
  readonly #runtime: (Runtime & { close(): Promise<void> }) | TeamwrightError;
  readonly #guard: Guard | undefined;
  readonly #team: string | undefined;

  constructor(runtime: (Runtime & { close(): Promise<void> }) | TeamwrightError, guard: Guard | undefined, team: string | undefined) {
    this.#runtime = runtime;
    this.#guard = guard;
    this.#team = team;
  }

  async guardCall(input: Record<string, unknown>): Promise<ToolAnswer> {
    if (!this.#guard) return unknownTool(GUARD_TOOL, []);
    const decision = await this.#guard.decide(input);
    return { content: [{ type: "text", text: decision === undefined ? "" : JSON.stringify(decision) }] };
  }

  async call(name: string, input: unknown, toolUseId: string | undefined): Promise<ToolAnswer> {
    const runtime = this.#runtime;
    if (runtime instanceof TeamwrightError) return errorAnswer(runtime);
    const operation = findOperation(name);
    if (!operation) return unknownTool(name, []);
    try {
      const principal = (toolUseId === undefined ? undefined : this.#guard?.take(toolUseId, name)) ?? this.#unverified(runtime);
      const output = await execute(runtime, operation, input, { principal });
      const view: RenderView = plainView(runtime.now());
      const text = operation.render ? operation.render(output, view) : JSON.stringify(fenceStored(output));
      return { content: [{ type: "text", text }], structuredContent: fenceStored(output) as Record<string, unknown> };
    } catch (error) {
      return errorAnswer(failure(error));
    }
  }

  /** Nobody vouches for this caller: it is known by its process only. */
  #unverified(runtime: Runtime): Principal {
    const name = this.clientName?.slice(0, 64) ?? "unknown client";
    return {
      kind: "unverified",
      key: `unverified:${runtime.store.replica}`,
      name,
      ...(this.#team === undefined ? {} : { team: this.#team }),
    };
  }

  /** An orderly end frees what this process or its session still holds. */
  async leave(session: string | undefined): Promise<void> {
    if (this.#runtime instanceof TeamwrightError || this.#runtime.store.readOnly) return;
    const { endClaims } = await import("../guard/ending.ts");
    await endClaims(this.#runtime, {
      holders: [this.#unverified(this.#runtime).key],
      session: this.#guard ? session : undefined,
      reason: "its session ended",
    });
  }
}

function unknownTool(name: string, names: readonly string[]): ToolAnswer {
  const close = nearest(name, names);
  return errorAnswer(new TeamwrightError("NOT_FOUND", `There is no tool of this name${close ? `; did you mean ${close}?` : "."}`, hint("brief_show", "shows where you stand")));
}

function errorAnswer(error: TeamwrightError): ToolAnswer {
  return {
    content: [{ type: "text", text: renderError(error) }],
    structuredContent: {
      error: {
        code: error.code,
        message: error.message,
        ...(error.problems.length > 0 ? { problems: error.problems } : {}),
        ...(error.hint ? { next: error.hint.operation } : {}),
      },
    },
    isError: true,
  };
}
