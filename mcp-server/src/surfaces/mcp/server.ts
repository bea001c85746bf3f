import { Server } from "@modelcontextprotocol/server";
import { findOperation, operations } from "../../features/index.ts";
import { hint, renderError, TeamwrightError } from "../../kernel/errors.ts";
import { execute, type Runtime } from "../../kernel/execute.ts";
import { nearest } from "../../kernel/nearest.ts";
import type { Principal } from "../../kernel/principal.ts";
import { isRecord } from "../../kernel/records.ts";
import { version } from "../../version.ts";
import { plainView } from "../cli/view.ts";
import { keepLeases } from "../guard/leases.ts";
import { instructions } from "./instructions.ts";
import { failureOf, type Opened } from "./project.ts";
import { builtListing, fenceStored, isListed, type ToolList } from "./tools.ts";

const GUARD_TOOL = "guard";
const TOOL_USE_ID = "claudecode/toolUseId";

interface ToolAnswer {
  [key: string]: unknown;
  content: { type: "text"; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

/** A factory of MCP servers over one caller; cheap and without side effects, because it may be called twice. */
export function mcpFactory(caller: Caller, tools: ToolList): () => Server {
  const names = operations.filter((operation) => isListed(operation, tools)).map((operation) => operation.name);
  return () => {
    const server = new Server({ name: "teamwright", version }, { capabilities: { tools: {} }, instructions });
    server.setRequestHandler("tools/list", async () => ({ tools: builtListing(operations, tools) }));
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
}

/** Runs tool calls as the principal the guard bound them to, or as an unverified process. */
export class Caller {
  clientName: string | undefined;
  readonly #open: () => Promise<Opened>;
  readonly #team: string | undefined;

  /** `open` is asked at every call and throws a TeamwrightError while there is nothing to run on. */
  constructor(open: () => Promise<Opened>, team: string | undefined) {
    this.#open = open;
    this.#team = team;
  }

  async guardCall(input: Record<string, unknown>): Promise<ToolAnswer> {
    let decision: Record<string, unknown> | undefined;
    try {
      const { guard } = await this.#open();
      if (!guard) return unknownTool(GUARD_TOOL, []);
      decision = await guard.decide(input);
    } catch (error) {
      return errorAnswer(failureOf(error));
    }
    return { content: [{ type: "text", text: decision === undefined ? "" : JSON.stringify(decision) }] };
  }

  async call(name: string, input: unknown, toolUseId: string | undefined): Promise<ToolAnswer> {
    const operation = findOperation(name);
    if (!operation) return unknownTool(name, []);
    try {
      const { runtime, guard } = await this.#open();
      const bound = toolUseId === undefined ? undefined : guard?.take(toolUseId, name);
      const principal = bound ?? this.#unverified(runtime);
      // no hook tells that an unverified caller is alive: its own calls keep its leases
      if (!bound) await keepLeases(runtime, principal.key);
      const output = await execute(runtime, operation, input, { principal });
      const text = operation.render
        ? operation.render(output, plainView(runtime.now()))
        : JSON.stringify(fenceStored(output));
      return { content: [{ type: "text", text }], structuredContent: fenceStored(output) as Record<string, unknown> };
    } catch (error) {
      return errorAnswer(failureOf(error));
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
  async leave({ runtime, guard }: Opened, session: string | undefined): Promise<void> {
    if (runtime.store.readOnly) return;
    const { endClaims } = await import("../guard/ending.ts");
    await endClaims(runtime, {
      holders: [this.#unverified(runtime).key],
      session: guard ? session : undefined,
      reason: "its session ended",
    });
  }
}

function unknownTool(name: string, names: readonly string[]): ToolAnswer {
  const close = nearest(name, names);
  return errorAnswer(
    new TeamwrightError(
      "NOT_FOUND",
      `There is no tool of this name${close ? `; did you mean ${close}?` : "."}`,
      hint("brief_show", "shows where you stand"),
    ),
  );
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
