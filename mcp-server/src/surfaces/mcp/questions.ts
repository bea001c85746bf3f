import {
  CLIENT_CAPABILITIES_META_KEY,
  type ElicitRequestFormParams,
  inputRequired,
  inputResponse,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { Question } from "../../kernel/operation.ts";
import { isRecord, textOf } from "../../kernel/records.ts";
import { storable } from "../../kernel/storable.ts";
import { errorAnswer, type ToolAnswer } from "./answer.ts";

/** What the client's dialog gave back; undefined when it was put away, or nobody answered in time. */
export interface DialogAnswer {
  readonly choice: string;
  readonly note?: string;
}
export type Dialog = (question: Question) => Promise<DialogAnswer | undefined>;

type Work = (dialog: Dialog | undefined) => Promise<ToolAnswer>;
type Asked = ReturnType<typeof inputRequired>;

/** People think; but a call that waits for ever would keep its agent waiting too. */
const ANSWER_WAIT_MS = 10 * 60_000;
const ANSWER = "answer";

/** A call of the 2026-07-28 era that waits: its result is given to the request that brings the answer. */
class Parked {
  readonly tool: string;
  result: Promise<ToolAnswer> | undefined;
  asked = Promise.withResolvers<Question>();
  #answer: ((answer: DialogAnswer | undefined) => void) | undefined;

  constructor(tool: string) {
    this.tool = tool;
  }

  readonly dialog: Dialog = (question) => {
    const answered = Promise.withResolvers<DialogAnswer | undefined>();
    const timer = setTimeout(() => answered.resolve(undefined), ANSWER_WAIT_MS);
    timer.unref();
    this.#answer = (answer) => {
      clearTimeout(timer);
      answered.resolve(answer);
    };
    this.asked.resolve(question);
    return answered.promise;
  };

  answer(answer: DialogAnswer | undefined): void {
    this.asked = Promise.withResolvers();
    this.#answer?.(answer);
  }
}

/**
 * Puts questions of an operation to the person, through the client's own dialog. In the 2025 era the server asks while
 * the call is open. In the 2026-07-28 era the call's result is that input is required, and the client's second request
 * brings it: the operation waits in between, under a name that nobody can guess and that is good for once.
 */
export class Questions {
  readonly #parked = new Map<string, Parked>();

  async run(tool: string, ctx: ServerContext, declared: unknown, work: Work): Promise<ToolAnswer | Asked> {
    const { envelope } = ctx.mcpReq;
    const state = ctx.mcpReq.requestState();
    if (typeof state === "string") return this.#resume(tool, state, ctx);
    if (!canShowForms(isRecord(envelope) ? envelope[CLIENT_CAPABILITIES_META_KEY] : declared)) return work(undefined);
    if (envelope === undefined) return work((question) => askNow(ctx, question));
    const parked = new Parked(tool);
    parked.result = work(parked.dialog);
    return this.#next(parked);
  }

  async #resume(tool: string, state: string, ctx: ServerContext): Promise<ToolAnswer | Asked> {
    const parked = this.#parked.get(state);
    this.#parked.delete(state);
    if (parked?.tool !== tool) {
      return errorAnswer(
        new TeamwrightError(
          "CONFLICT",
          "Nobody waits for this answer any more.",
          hint("brief_show", "shows what waits"),
        ),
      );
    }
    const view = inputResponse(ctx.mcpReq.inputResponses, ANSWER);
    parked.answer(view.kind === "elicit" ? readAnswer(view) : undefined);
    return this.#next(parked);
  }

  /** The result, or the next question of the operation. */
  async #next(parked: Parked): Promise<ToolAnswer | Asked> {
    const asked = parked.asked.promise.then((question) => ({ question }));
    const first = await Promise.race([asked, parked.result ?? asked]);
    if (!("question" in first)) return first as ToolAnswer;
    const { randomBytes } = await import("node:crypto"); // few are asked anything; each start would load it
    const state = randomBytes(18).toString("base64url");
    this.#parked.set(state, parked);
    setTimeout(() => this.#parked.delete(state), ANSWER_WAIT_MS).unref();
    const params = formOf(first.question as Question);
    return inputRequired({ inputRequests: { [ANSWER]: inputRequired.elicit(params) }, requestState: state });
  }
}

async function askNow(ctx: ServerContext, question: Question): Promise<DialogAnswer | undefined> {
  try {
    const options = { timeout: ANSWER_WAIT_MS, signal: ctx.mcpReq.signal };
    return readAnswer(await ctx.mcpReq.send({ method: "elicitation/create", params: formOf(question) }, options));
  } catch {
    return undefined; // out of time, or the client has gone: the question stays open
  }
}

/** A client that only says `elicitation: {}` shows forms: modes were added later. */
function canShowForms(capabilities: unknown): boolean {
  const elicitation = isRecord(capabilities) ? capabilities.elicitation : undefined;
  return isRecord(elicitation) && (isRecord(elicitation.form) || Object.keys(elicitation).length === 0);
}

function formOf({ message, choices }: Question): ElicitRequestFormParams {
  return {
    mode: "form",
    message,
    requestedSchema: {
      type: "object",
      properties: {
        decision: {
          type: "string",
          title: "Decision",
          enum: choices.map(({ value }) => value),
          enumNames: choices.map(({ label }) => label),
        },
        note: { type: "string", title: "Note", description: "For those who work on it; may be empty." },
      },
      required: ["decision"],
    },
  };
}

/** Only a form that was sent counts; declining or closing the dialog is no answer. */
function readAnswer(result: {
  action: string;
  content?: Record<string, unknown> | undefined;
}): DialogAnswer | undefined {
  const choice = textOf(result.content?.decision);
  if (result.action !== "accept" || choice === "") return undefined;
  const note = storable(textOf(result.content?.note)).trim().slice(0, 2000);
  return note === "" ? { choice } : { choice, note };
}
