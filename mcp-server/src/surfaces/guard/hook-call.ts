import { parseRecord } from "../../features/agent/agent.rules.ts";
import type { HookCall } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { storable } from "../../kernel/storable.ts";

/** What a hook of the client tells, in the guard's words. */
export function readHookCall(input: Readonly<Record<string, unknown>>): HookCall {
  return {
    event: plain(input.event),
    session: plain(input.session_id),
    agentId: plain(input.agent_id),
    agentType: plain(input.agent_type),
    toolName: plain(input.tool_name),
    toolUseId: plain(input.tool_use_id),
    toolInput: parseRecord(plain(input.tool_input)),
    toolResponse: parseRecord(plain(input.tool_response)),
    cwd: plain(input.cwd),
    transcript: plain(input.transcript_path),
    agentTranscript: plain(input.agent_transcript_path),
    lastMessage: plain(input.last_assistant_message),
    prompt: plain(input.prompt),
    taskId: plain(input.task_id),
    taskSubject: plain(input.task_subject),
    taskDescription: plain(input.task_description),
  };
}

function plain(value: unknown): string {
  return storable(textOf(value));
}
