/**
 * One actor = one scripted agent: a plain async function that calls tools, reads their results and ends its turns.
 * Each conversation that carries the actor's marker gets a run of its own.
 */
import {
  type Answer,
  blocksOf,
  type MessagesRequest,
  type TextBlock,
  type ToolUseBlock,
  textOfBlock,
  textOfMessage,
  textOfSystem,
  type Usage,
} from "./messages-wire.ts";

export interface ToolResult {
  readonly id: string;
  readonly text: string;
  readonly isError: boolean;
  /** What else arrived in the same turn: hook context, reminders, messages of peers. */
  readonly heard: string;
}
export interface RecordedCall {
  readonly id: string;
  readonly tool: string;
  readonly input: Record<string, unknown>;
  readonly result?: ToolResult;
}
export interface ToolCall {
  readonly tool: string;
  readonly input?: Record<string, unknown>;
}

/** What a script holds in its hand. */
export interface Turn {
  /** The text of the first user message: the prompt, with whatever hooks added to it. */
  readonly prompt: string;
  /** 0 for the actor's first conversation, 1 for its second … */
  readonly run: number;
  /** Token counts reported with the answers from now on. */
  usage: Usage;
  /** Calls a tool (loading it by ToolSearch if it is deferred) and returns its result. */
  call(tool: string, input?: Record<string, unknown>): Promise<ToolResult>;
  /** The same, failing the test's run when the result is an error. */
  must(tool: string, input?: Record<string, unknown>): Promise<ToolResult>;
  /** Several calls in one assistant message. */
  callAll(calls: readonly ToolCall[]): Promise<readonly ToolResult[]>;
  /** Ends the turn with this text and returns the next prompt that reaches this agent. */
  say(text: string): Promise<string>;
  /** Names of the tools the agent can call now; deferred ones count only once loaded. */
  tools(): readonly string[];
}
/** The returned text ends the last turn; without one it is "Done.". */
export type Script = (turn: Turn) => Promise<string | undefined> | Promise<void>;

interface Pending {
  readonly ids: readonly string[];
  readonly afterMessages: number;
  readonly resume: (request: MessagesRequest) => void;
}

export const defaultUsage: Usage = {
  input_tokens: 100,
  output_tokens: 20,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

/** Text of the user messages that follow the last assistant message, tool results left out. */
function heardIn(request: MessagesRequest): string {
  const last = request.messages.findLastIndex((message) => message.role === "assistant");
  const blocks = request.messages.slice(last + 1).flatMap((message) => blocksOf(message));
  return blocks
    .filter((block) => block.type === "text")
    .map(textOfBlock)
    .join("\n");
}

function resultFor(request: MessagesRequest, id: string): ToolResult | undefined {
  for (const message of request.messages.toReversed()) {
    for (const block of blocksOf(message)) {
      if (block.type !== "tool_result" || block.tool_use_id !== id) continue;
      return { id, text: textOfBlock(block), isError: block.is_error === true, heard: heardIn(request) };
    }
  }
  return undefined;
}

function openingOf(request: MessagesRequest): string {
  return request.messages.slice(0, 1).map(textOfMessage).join("");
}

let callCount = 0;

/** One conversation of an actor with the client. */
class Conversation {
  readonly requests: MessagesRequest[] = [];
  readonly calls: RecordedCall[] = [];
  readonly done: Promise<void>;
  readonly opening: string;
  failure: Error | undefined;
  #current: MessagesRequest;
  #pending: Pending | undefined;
  #waiting: ((answer: Answer) => void) | undefined;
  #queued: Answer | undefined;
  #usage = defaultUsage;
  #over = false;

  constructor(script: Script, first: MessagesRequest, run: number) {
    this.#current = first;
    this.opening = openingOf(first);
    this.done = this.#perform(script, run);
  }

  get finished(): boolean {
    return this.#over;
  }

  /** True if this request goes on where this conversation stands: it carries an awaited result, or follows its turn. */
  continues(request: MessagesRequest): boolean {
    if (!this.#pending) return false;
    if (this.#pending.ids.length > 0) return this.#pending.ids.every((id) => resultFor(request, id) !== undefined);
    return request.messages.length > this.#pending.afterMessages && this.owns(request);
  }

  /** True if the request's history is this conversation's. */
  owns(request: MessagesRequest): boolean {
    const ids = new Set(this.calls.map((call) => call.id));
    if (ids.size === 0) return openingOf(request) === this.opening;
    const uses = request.messages.flatMap((message) => blocksOf(message)).filter((block) => block.type === "tool_use");
    return uses.some((use) => ids.has(use.id));
  }

  answer(request: MessagesRequest): Promise<Answer> {
    this.requests.push(request);
    // A side question of the client (a summary, a suggestion) repeats the history but does not move the script on.
    if (this.#pending && !this.continues(request)) return Promise.resolve(this.#text("Nothing to add."));
    this.#current = request;
    return new Promise((resolve) => {
      this.#waiting = resolve;
      const pending = this.#pending;
      this.#pending = undefined;
      pending?.resume(request);
      if (this.#queued) this.#send(this.#queued);
      else if (this.#over) this.#send(this.#text("Nothing more to do."));
    });
  }

  tools(): readonly string[] {
    const found = this.#current.messages.map(textOfMessage).join("\n");
    return (this.#current.tools ?? [])
      .filter((tool) => !tool.defer_loading || found.includes(`"tool_name":"${tool.name}"`))
      .map((tool) => tool.name);
  }

  #text(text: string): Answer {
    return { content: [{ type: "text", text }], usage: this.#usage };
  }

  #send(answer: Answer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#queued = waiting ? undefined : answer;
    waiting?.(answer);
  }

  async #perform(script: Script, run: number): Promise<void> {
    const self = this;
    await Promise.resolve();
    try {
      const text = await script({
        prompt: heardIn(this.#current),
        run,
        get usage() {
          return self.#usage;
        },
        set usage(usage: Usage) {
          self.#usage = usage;
        },
        call: async (tool, input = {}) => this.#one({ tool, input }),
        must: async (tool, input = {}) => {
          const result = await this.#one({ tool, input });
          if (result.isError) throw new Error(`${tool} ${JSON.stringify(input)} answered: ${result.text}`);
          return result;
        },
        callAll: (calls) => this.#callAll(calls),
        say: (said) => this.#say(said),
        tools: () => this.tools(),
      });
      this.#over = true;
      this.#send(this.#text(text ?? "Done."));
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      this.#over = true;
      this.#send(this.#text(`The script failed: ${this.failure.message}`));
    }
  }

  async #one(call: ToolCall): Promise<ToolResult> {
    const [result] = await this.#callAll([call]);
    if (!result) throw new Error(`no result for ${call.tool}`);
    return result;
  }

  async #callAll(calls: readonly ToolCall[]): Promise<readonly ToolResult[]> {
    const known = this.tools();
    const absent = calls.map((call) => call.tool).filter((tool) => !known.includes(tool) && !this.#searched.has(tool));
    if (absent.length > 0 && known.includes("ToolSearch")) {
      for (const tool of absent) this.#searched.add(tool);
      await this.#exchange([{ tool: "ToolSearch", input: { query: `select:${absent.join(",")}`, max_results: 20 } }]);
    }
    return this.#exchange(calls);
  }
  readonly #searched = new Set<string>();

  async #exchange(calls: readonly ToolCall[]): Promise<readonly ToolResult[]> {
    const uses = calls.map(({ tool, input = {} }): ToolUseBlock => {
      callCount += 1;
      return { type: "tool_use", id: `toolu_${String(callCount).padStart(24, "0")}`, name: tool, input };
    });
    const first = this.calls.length;
    for (const use of uses) this.calls.push({ id: use.id, tool: use.name, input: use.input });
    const request = await this.#turnOver(
      { content: uses, usage: this.#usage },
      uses.map((use) => use.id),
    );
    return uses.map((use, index) => {
      const result = resultFor(request, use.id);
      if (!result) throw new Error(`no result for ${use.name}`);
      this.calls[first + index] = { id: use.id, tool: use.name, input: use.input, result };
      return result;
    });
  }

  async #say(said: string): Promise<string> {
    const content: TextBlock[] = [{ type: "text", text: said }];
    return heardIn(await this.#turnOver({ content, usage: this.#usage }, []));
  }

  #turnOver(answer: Answer, ids: readonly string[]): Promise<MessagesRequest> {
    const afterMessages = this.#current.messages.length;
    return new Promise((resume) => {
      this.#pending = { ids, afterMessages, resume };
      this.#send(answer);
    });
  }
}

/** Everything seen of one actor, for assertions. */
export class Actor {
  readonly name: string;
  readonly conversations: Conversation[] = [];
  readonly #script: Script;

  constructor(name: string, script: Script) {
    this.name = name;
    this.#script = script;
  }

  get requests(): readonly MessagesRequest[] {
    return this.conversations.flatMap((conversation) => conversation.requests);
  }
  get calls(): readonly RecordedCall[] {
    return this.conversations.flatMap((conversation) => conversation.calls);
  }
  get models(): readonly string[] {
    return [...new Set(this.requests.map((request) => request.model))];
  }
  /** All text this actor was ever shown: system prompts and messages. */
  get shown(): string {
    return this.requests
      .map((request) => [textOfSystem(request), ...request.messages.map(textOfMessage)].join("\n"))
      .join("\n");
  }
  /** Names of all tools offered to it, deferred ones included. */
  get offered(): readonly string[] {
    return [...new Set(this.requests.flatMap((request) => (request.tools ?? []).map((tool) => tool.name)))];
  }

  answer(request: MessagesRequest): Promise<Answer> {
    return this.#conversationOf(request).answer(request);
  }

  #conversationOf(request: MessagesRequest): Conversation {
    const fresh = request.messages.every((message) => message.role !== "assistant");
    const going =
      this.conversations.find((one) => one.continues(request)) ?? this.conversations.find((one) => one.owns(request));
    if (going && !fresh) return going;
    const begun = new Conversation(this.#script, request, this.conversations.length);
    this.conversations.push(begun);
    return begun;
  }
}
