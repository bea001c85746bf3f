import { Server } from "@modelcontextprotocol/server";
import { isRecord } from "../../kernel/records.ts";
import { version } from "../../version.ts";
import { type Calls, GUARD_TOOL, unknownTool } from "./answer.ts";
import { instructions } from "./instructions.ts";
import { Questions } from "./questions.ts";
import type { ToolListing } from "./tools.ts";

const TOOL_USE_ID = "claudecode/toolUseId";

/** A factory of MCP servers over one caller; cheap and without side effects, because it may be called twice. */
export function mcpFactory(calls: Calls, tools: readonly ToolListing[], listed: () => void = () => {}): () => Server {
  const names = tools.map((tool) => tool.name);
  const questions = new Questions();
  return () => {
    const server = new Server({ name: "teamwright", version }, { capabilities: { tools: {} }, instructions });
    server.setRequestHandler("tools/list", async () => {
      listed();
      return { tools: [...tools] };
    });
    server.setRequestHandler("tools/call", async (request, ctx) => {
      const { name, arguments: input, _meta: meta } = request.params;
      calls.clientName ??= server.getClientVersion()?.name;
      if (name === GUARD_TOOL) return calls.guardCall(input ?? {});
      if (!names.includes(name)) return unknownTool(name, names);
      const toolUseId = isRecord(meta) ? meta[TOOL_USE_ID] : undefined;
      return questions.run(name, ctx, server.getClientCapabilities(), (dialog) =>
        calls.call(name, input, typeof toolUseId === "string" ? toolUseId : undefined, dialog),
      );
    });
    return server;
  };
}
