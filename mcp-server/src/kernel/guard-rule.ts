import type { Runtime } from "./execute.ts";
import type { OperationContext } from "./operation.ts";
import type { Principal } from "./principal.ts";

/** What a hook of the client tells, as strings: the client renders objects as JSON text and what is missing as "". */
export interface HookCall {
  readonly event: string;
  readonly session: string;
  /** "" for the lead. */
  readonly agentId: string;
  readonly agentType: string;
  readonly toolName: string;
  readonly toolUseId: string;
  readonly toolInput: Readonly<Record<string, unknown>>;
  readonly toolResponse: Readonly<Record<string, unknown>>;
  readonly cwd: string;
  readonly transcript: string;
  readonly agentTranscript: string;
  readonly lastMessage: string;
  readonly prompt: string;
  /** Of a task of the client's own list. */
  readonly taskId: string;
  readonly taskSubject: string;
  readonly taskDescription: string;
}

export interface GuardContext {
  readonly runtime: Runtime;
  readonly call: HookCall;
  readonly principal: Principal;
  /** A write transaction as the system, with sweep, events and retries. */
  write<T>(operation: string, work: (ctx: OperationContext) => Promise<T>): Promise<T>;
}

/** What a rule says; several rules of one moment are put together in the order of the table. */
export interface Verdict {
  /** Refuses the call, or sends the agent back to work: one sentence with the next legal step. Ends the round. */
  readonly refusal?: string;
  /** Takes the place of the tool's input, for the rules behind too. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** Told to the model. */
  readonly context?: string;
}

type Decide = (ctx: GuardContext) => Promise<Verdict | undefined>;

/** One rule that the client's hooks enforce (design §7). Made anew for each server, so that it may remember things. */
export interface GuardRule {
  /** Short and stable: what `doctor` prints. */
  readonly name: string;
  /** One sentence on what cannot happen while the rule holds. */
  readonly promise: string;
  /** A rule that protects others refuses when it fails itself; one that only helps lets the call pass (design §1.7). */
  readonly failsClosed: boolean;
  /** Asked where `guard: off` switches decisions off, too: what it writes down is identity, not a decision. */
  readonly keepsRecords?: true;
  /** Before a call of a tool whose name matches. */
  readonly beforeTool?: { readonly tools: RegExp; readonly decide: Decide };
  readonly afterTool?: { readonly tools: RegExp; readonly decide: Decide };
  /** An agent starts, or starts again; `context` is what it is told first. */
  readonly agentStarts?: Decide;
  /** An agent wants to stop; `refusal` sends it back. */
  readonly agentStops?: Decide;
  /** All rules let it stop. */
  readonly agentStopped?: Decide;
  /** A task of the client's own list is created or completed, as `call.event` says; `refusal` prevents it. */
  readonly clientTask?: Decide;
  /** A prompt reaches the lead. */
  readonly prompt?: Decide;
  /** The lead wants to stop. */
  readonly leadStops?: Decide;
}
