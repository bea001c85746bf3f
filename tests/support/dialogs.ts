import { Client, InMemoryTransport } from "@modelcontextprotocol/client";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { Caller } from "../../mcp-server/src/surfaces/mcp/caller.ts";
import { builtListing } from "../../mcp-server/src/surfaces/mcp/listing.ts";
import { mcpFactory } from "../../mcp-server/src/surfaces/mcp/server.ts";
import type { Answer, World } from "./world.ts";

export interface DialogClient extends AsyncDisposable {
  /** Messages of the dialogs that were shown. */
  readonly shown: string[];
  /** A tool call of the lead, or of the agent with this id; `stranger` binds nobody. */
  call(tool: string, input: Record<string, unknown>, who?: string): Promise<Answer>;
}

export type Reaction = { action: "accept" | "decline" | "cancel"; content?: Record<string, string> };

let calls = 0;

/**
 * A client that shows dialogs, in the era of the protocol that is named, on the world's store and guard. `react` is
 * what the person does.
 */
export async function openDialogClient(
  world: World,
  era: "legacy" | "modern",
  react: (message: string) => Promise<Reaction> | Reaction,
): Promise<DialogClient> {
  const { runtime, guard } = world;
  const [serverSide, clientSide] = InMemoryTransport.createLinkedPair();
  const factory = mcpFactory(new Caller(async () => ({ runtime, guard }), undefined), await builtListing("all"));
  const server = serveStdio(factory, { transport: serverSide });
  const mode = era === "modern" ? { pin: "2026-07-28" as const } : era;
  const client = new Client(
    { name: "dialogs", version: "1.0.0" },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode } },
  );
  const shown: string[] = [];
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    shown.push(params.message);
    return react(params.message);
  });
  await client.connect(clientSide);
  return {
    shown,
    async call(tool, input, who = "") {
      calls += 1;
      const useId = `toolu_dialog_${calls}`;
      if (who !== "stranger") {
        await world.hook({
          event: "PreToolUse",
          agent_id: who,
          agent_type: who === "" ? "" : "teamwright:builder",
          tool_use_id: useId,
          tool_name: `mcp__plugin_teamwright_teamwright__${tool}`,
        });
      }
      const _meta = { "claudecode/toolUseId": useId };
      return (await client.callTool({ name: tool, arguments: input, _meta })).structuredContent;
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
    },
  };
}
