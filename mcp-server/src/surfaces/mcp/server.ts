import { Server } from "@modelcontextprotocol/server";
import { isRecord } from "../../kernel/records.ts";
import { version } from "../../version.ts";
import { type Calls, GUARD_TOOL, unknownTool } from "./answer.ts";
import { instructions } from "./instructions.ts";
import type { ToolListing } from "./tools.ts";

const TOOL_USE_ID = "claudecode/toolUseId";

/** A factory of MCP servers over one caller; cheap and without side effects, because it may be called twice. */
export function mcpFactory(calls: Calls, tools: readonly ToolListing[], listed: () => void = () => {}): () => Server {
  const names = tools.map((tool) => tool.name);
  return () => {
    const server = new Server({ name: "teamwright", version }, { capabilities: { tools: {} }, instructions });
    server.setRequestHandler("tools/list", async () => {
      listed();
      return { tools: [...tools] };
    });
    server.setRequestHandler("tools/call", async (request) => {
      const { name, arguments: input, _meta: meta } = request.params;
      calls.clientName ??= server.getClientVersion()?.name;
      if (name === GUARD_TOOL) return calls.guardCall(input ?? {});
      if (!names.includes(name)) return unknownTool(name, names);
      const toolUseId = isRecord(meta) ? meta[TOOL_USE_ID] : undefined;
      return calls.call(name, input, typeof toolUseId === "string" ? toolUseId : undefined);
    });
    return server;
  };
}
