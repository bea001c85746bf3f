/**
 * A Messages API on loopback whose model is a set of scripts, one per agent.
 *
 *   await using model = await startModel();
 *   const ada = model.actor("ada", async (turn) => {
 *     const task = await turn.must("mcp__plugin_teamwright_teamwright__task_claim", { id: "tw-1" });
 *     return `Claimed: ${task.text}`;
 *   });
 *   model.actor("lead", async (turn) => {
 *     await turn.must("Agent", { description: "ada", name: "ada", prompt: "[actor:ada] Build it." });
 *     await turn.say("Waiting.");            // ends the turn; resumes with the next prompt (a notification)
 *     return "All done.";
 *   });
 *   await runClaude({ version: "newest", prompt: "[actor:lead] Begin.", cwd, home, model });
 *   model.check();                            // throws what a script threw
 *
 * An agent is known by the marker `[actor:<name>]` in the first user message of its conversation; one whose prompt is
 * the server's own by words of its system prompt.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Actor, defaultUsage, type Script } from "./actor.ts";
import {
  type Answer,
  type MessagesRequest,
  openStream,
  textOfMessage,
  textOfSystem,
  writeJson,
  writeWhole,
} from "./messages-wire.ts";

export interface StrayRequest {
  readonly path: string;
  readonly body: unknown;
}

export interface ScriptedModel extends AsyncDisposable {
  /** For ANTHROPIC_BASE_URL. */
  readonly url: string;
  /** Requests no actor answered: titles, model lists, agents without a marker. */
  readonly strays: readonly StrayRequest[];
  /** Declares who plays the conversations marked `[actor:<name>]`, or those whose system prompt has `words`. */
  actor(name: string, script: Script, words?: string): Actor;
  /** Throws if a script failed, or if a declared actor never appeared. */
  check(): void;
  close(): Promise<void>;
}

const marker = /\[actor:([A-Za-z0-9_-]+)\]/;

/** The actor a conversation belongs to. Requests without tools are the client's own (titles, summaries). */
function actorNameIn(request: MessagesRequest, roles: ReadonlyMap<string, string>): string | undefined {
  if (!request.tools?.length) return undefined;
  const first = request.messages.find((message) => message.role === "user");
  const marked = first && marker.exec(textOfMessage(first))?.[1];
  if (marked !== undefined || roles.size === 0) return marked;
  const system = textOfSystem(request);
  return [...roles].find(([words]) => system.includes(words))?.[1];
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += chunk;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export async function startModel(): Promise<ScriptedModel> {
  const actors = new Map<string, Actor>();
  /** Names of actors by words of their system prompts. */
  const roles = new Map<string, string>();
  const strays: StrayRequest[] = [];
  let messageCount = 0;

  async function answerMessages(request: MessagesRequest, path: string, response: ServerResponse): Promise<void> {
    messageCount += 1;
    const id = `msg_${String(messageCount).padStart(24, "0")}`;
    const actor = actors.get(actorNameIn(request, roles) ?? "");
    if (!actor) strays.push({ path, body: request });
    const answer = (): Promise<Answer> =>
      actor?.answer(request) ?? Promise.resolve({ content: [{ type: "text", text: "ok" }], usage: defaultUsage });
    if (request.stream) {
      const finish = openStream(response);
      finish(id, request.model, await answer());
    } else {
      writeWhole(response, id, request.model, await answer());
    }
  }

  const server = createServer(async (incoming, response) => {
    const path = incoming.url ?? "/";
    const body = await bodyOf(incoming);
    if (incoming.method === "POST" && /^\/v1\/messages\/count_tokens/.test(path)) {
      writeJson(response, 200, { input_tokens: Math.ceil(JSON.stringify(body).length / 4) });
    } else if (incoming.method === "POST" && /^\/v1\/messages(\?|$)/.test(path)) {
      // The body is the client's own Messages request; only the fields named in the type are read.
      await answerMessages(body as MessagesRequest, path, response);
    } else {
      strays.push({ path: `${incoming.method} ${path}`, body });
      writeJson(response, incoming.method === "HEAD" ? 200 : 404, {
        type: "error",
        error: { type: "not_found_error" },
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A TCP server that listens has an AddressInfo, never a pipe name.
  const { port } = server.address() as AddressInfo;

  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  return {
    url: `http://127.0.0.1:${port}`,
    strays,
    actor(name, script, words) {
      const actor = new Actor(name, script);
      actors.set(name, actor);
      if (words !== undefined) roles.set(words, name);
      return actor;
    },
    check() {
      const problems: string[] = [];
      let cause: Error | undefined;
      for (const actor of actors.values()) {
        if (actor.conversations.length === 0) problems.push(`The actor ${actor.name} never appeared.`);
        for (const { failure } of actor.conversations) {
          if (!failure) continue;
          problems.push(`The script of ${actor.name} failed: ${failure.message}`);
          cause ??= failure;
        }
      }
      // one script's failure is often another's: who waits in vain is not the one to look at
      if (problems.length > 0) throw new Error(problems.join("\n"), { cause });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
