/**
 * The part of the Messages API the client speaks: what arrives, and how an answer is written
 * as one JSON body or as server-sent events.
 */
import type { ServerResponse } from "node:http";

export interface TextBlock {
  readonly type: "text";
  readonly text: string;
}
export interface ToolUseBlock {
  readonly type: "tool_use";
  readonly id: string;
  readonly name: string;
  readonly input: Record<string, unknown>;
}
export interface ToolResultBlock {
  readonly type: "tool_result";
  readonly tool_use_id: string;
  readonly content?: string | readonly ContentBlock[];
  readonly is_error?: boolean;
}
export type ContentBlock = TextBlock | ToolUseBlock | ToolResultBlock | { readonly type: "other" };

export interface Message {
  readonly role: "user" | "assistant" | "system";
  readonly content: string | readonly ContentBlock[];
}
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  readonly input_schema?: Record<string, unknown>;
  readonly defer_loading?: boolean;
}
export interface MessagesRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly max_tokens?: number;
  readonly system?: string | readonly TextBlock[];
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolDefinition[];
}
export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
}
export interface Answer {
  readonly content: readonly (TextBlock | ToolUseBlock)[];
  readonly usage: Usage;
}

export function blocksOf(message: Message): readonly ContentBlock[] {
  return typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content;
}

/** The text of a block, a tool result's text included; blocks of other kinds as JSON. */
export function textOfBlock(block: ContentBlock): string {
  if (block.type === "text") return block.text;
  if (block.type !== "tool_result") return JSON.stringify(block);
  const { content = "" } = block;
  return typeof content === "string" ? content : content.map(textOfBlock).join("\n");
}

export function textOfMessage(message: Message): string {
  return blocksOf(message).map(textOfBlock).join("\n");
}

export function textOfSystem(request: MessagesRequest): string {
  const { system = "" } = request;
  return typeof system === "string" ? system : system.map((block) => block.text).join("\n");
}

function stopReason(answer: Answer): string {
  return answer.content.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn";
}

export function writeJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

export function writeWhole(response: ServerResponse, id: string, model: string, answer: Answer): void {
  writeJson(response, 200, {
    id,
    type: "message",
    role: "assistant",
    model,
    content: answer.content,
    stop_reason: stopReason(answer),
    stop_sequence: null,
    usage: answer.usage,
  });
}

/** Opens the stream at once and keeps it alive, so that a script may think as long as it likes. */
export function openStream(response: ServerResponse): (id: string, model: string, answer: Answer) => void {
  const send = (type: string, data: Record<string, unknown>) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  send("ping", {});
  const alive = setInterval(() => send("ping", {}), 3000);
  response.on("close", () => clearInterval(alive));
  return (id, model, answer) => {
    clearInterval(alive);
    const start = {
      id,
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
    };
    send("message_start", { message: { ...start, usage: { ...answer.usage, output_tokens: 1 } } });
    answer.content.forEach((block, index) => {
      if (block.type === "text") {
        send("content_block_start", { index, content_block: { type: "text", text: "" } });
        send("content_block_delta", { index, delta: { type: "text_delta", text: block.text } });
      } else {
        send("content_block_start", { index, content_block: { ...block, input: {} } });
        const json = JSON.stringify(block.input);
        send("content_block_delta", { index, delta: { type: "input_json_delta", partial_json: json } });
      }
      send("content_block_stop", { index });
    });
    send("message_delta", {
      delta: { stop_reason: stopReason(answer), stop_sequence: null },
      usage: { output_tokens: answer.usage.output_tokens },
    });
    send("message_stop", {});
    response.end();
  };
}
