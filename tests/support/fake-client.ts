/**
 * Plays the client under the client's name: run by a copy of Node that is called `claude`, so that the servers it starts
 * believe its hooks. Writes one JSON line for each step and stays until it is killed.
 */
import { RawServer } from "./raw-server.ts";

const [entry = "", root = ""] = process.argv.slice(2);
const session = "s-fake";
let calls = 0;

async function connect(): Promise<RawServer> {
  const env = { CLAUDE_CODE_SESSION_ID: session };
  const server = new RawServer({ server: [entry] }, root, { env });
  await server.initialize();
  return server;
}

const hook = (server: RawServer, event: string, more: Record<string, string>) =>
  server.request("tools/call", { name: "guard", arguments: { event, session_id: session, ...more } });

/** A tool call as the client makes it: announced by the hook, then made under the same id. */
async function call(server: RawServer, agent: string, name: string, input: object) {
  calls += 1;
  const id = `toolu_${process.pid}_${calls}`;
  const tool_name = `mcp__plugin_teamwright_teamwright__${name}`;
  await hook(server, "PreToolUse", { agent_id: agent, tool_name, tool_use_id: id });
  const _meta = { "claudecode/toolUseId": id };
  return (await server.request("tools/call", { name, arguments: input, _meta })).result.structuredContent;
}

const say = (step: string, value: unknown) => process.stdout.write(`${JSON.stringify({ step, value })}\n`);

const first = await connect();
const { task } = await call(first, "", "task_create", { title: "Carry the lamp home" });
const spawn = { tool_name: "Agent", tool_use_id: "toolu_spawn", tool_input: JSON.stringify({ name: "ada" }) };
await hook(first, "PreToolUse", spawn);
await hook(first, "SubagentStart", { agent_id: "a1ada", agent_type: "general-purpose" });
await hook(first, "PostToolUse", { ...spawn, tool_response: JSON.stringify({ agentId: "a1ada" }) });
const { fence } = await call(first, "a1ada", "task_claim", { id: task.id });
say("left", await first.end());
const second = await connect();
say("after", await call(second, "", "task_show", { id: task.id }));
say("goes on", await call(second, "a1ada", "task_update", { id: task.id, comment: "Still here.", fence }));
setInterval(() => {}, 1000);
