import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRecord } from "../../features/agent/agent.rules.ts";
import { textOf } from "../../kernel/records.ts";

/**
 * The Agent call that started this agent, as the client notes it beside the agent's transcript. Hooks of an agent do
 * not name it, and two agents of one definition started together are told apart by nothing else before they work.
 */
export async function spawnCallOf(transcript: string, agentId: string): Promise<string | undefined> {
  if (!transcript.endsWith(".jsonl") || !/^[\w-]+$/.test(agentId)) return undefined;
  const file = join(transcript.slice(0, -".jsonl".length), "subagents", `agent-${agentId}.meta.json`);
  const text = await readFile(file, "utf8").catch(() => "");
  return textOf(parseRecord(text).toolUseId) || undefined;
}
