import type { Kysely } from "kysely";
import type * as z from "zod";
import type { ProjectConfig } from "../config/config.schema.ts";
import type { Database } from "../store/database.ts";
import type { DialectPort } from "../store/dialect-port.ts";
import type { Inspection } from "./inspection.ts";
import type { Principal } from "./principal.ts";

/** One fact for the trail; `before`/`after` hold changed fields only. */
export interface EventDraft {
  readonly type: string;
  /** Text id of the task or agent it is about. */
  readonly subject?: string | undefined;
  readonly team?: string | undefined;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/** What a transaction leaves to be done at its end, in an order that cannot deadlock. */
export interface Effects {
  readonly events: EventDraft[];
  /** Board column counters: team and column joined by a NUL, with the change. */
  readonly counts: Map<string, number>;
  /** Tasks (surrogate ids) whose claim or scope changed: the leases on their files follow. */
  readonly scopes: Set<number>;
  /** True while facts from elsewhere are recorded: work in progress limits then bind nobody. */
  ignoreLimits?: boolean;
}

export interface OperationContext {
  /** In a write: the transaction's handle, the only one to be used. In a read: the pool. */
  readonly db: Kysely<Database>;
  readonly dialect: DialectPort;
  /** UTC milliseconds; one value for the whole call. */
  readonly now: number;
  readonly principal: Principal;
  readonly config: ProjectConfig;
  readonly effects: Effects;
  /** Lease length granted to claims, in ms. */
  readonly leaseMs: number;
  newKey(prefix?: string): string;
  record(event: EventDraft): void;
  /** Long operations only: runs `work` as a read of its own, with the time and the configuration as they are then. */
  read<T>(work: (ctx: OperationContext) => Promise<T>): Promise<T>;
  /**
   * Long operations only: runs `work` in a transaction of its own, with effects flushed and retries. `principal` is
   * the person who has answered a question; the caller by default.
   */
  transaction<T>(work: (ctx: OperationContext) => Promise<T>, principal?: Principal): Promise<T>;
  /** Long operations only, outside every transaction. Absent where nobody can be asked. */
  readonly ask?: Ask;
  /** Long operations only: tells the caller how far it is. */
  progress(done: number, total: number, what: string): void;
  /** Long operations only: a line that stays, beside the progress and the result; unseen where nobody reads along. */
  tell(line: string): void;
  /** File access through the surface that has it (CLI); absent elsewhere. Paths are the user's own. */
  readonly files?: FilePort;
  /** Shows the rules of the surface and lets them be tried; absent where a surface has nothing to show. */
  readonly inspect?: () => Promise<Inspection>;
}

/** Puts a question to the person at the session; undefined when it is put off, or nobody answers in time. */
export type Ask = (question: Question) => Promise<PersonAnswer | undefined>;

export interface Question {
  /** Plain text of several lines. */
  readonly message: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
}

export interface PersonAnswer {
  /** One of the question's values. */
  readonly choice: string;
  readonly note?: string;
  /** Who has answered; comes from the surface, never from the caller. */
  readonly principal: Principal;
}

export interface FilePort {
  /** Where the caller stands: relative paths begin there. */
  readonly folder?: string;
  /** `-` is standard input. With `limit` no more bytes than that are read. */
  read(path: string, limit?: number): Promise<string>;
  /** The same undecoded, where damage has to be told from text; absent where there is text only. */
  readBytes?(path: string): Promise<Uint8Array>;
  /** Writes to a temporary file, syncs and renames. */
  write(path: string, chunks: Iterable<string>): Promise<void>;
  readonly tree?: FileTree;
}

/** The files around the caller. */
export interface FileTree {
  /** The files that names, folders and globs stand for, sorted; `-` stays. Throws INVALID_INPUT for what is not there. */
  find(names: readonly string[], options: FindOptions): Promise<string[]>;
  /** Lines of a file of the working tree or the project; undefined for anything else. */
  countLines(path: string): Promise<number | undefined>;
  /** Whether a path matches one of the globs. */
  matcher(globs: readonly string[]): Promise<(path: string) => boolean>;
}

export interface FindOptions {
  /** Glob of the files that a folder stands for, relative to it. */
  readonly within: string;
  readonly ignore: readonly string[];
  /** A name that stands for nothing is no error. */
  readonly mayBeEmpty?: boolean;
}

/**
 * `read`: no transaction, nothing written. `write`: one transaction around `run`.
 * `batch`: `run` opens transactions itself, so that one bad part takes no other with it.
 */
export type OperationKind = "read" | "write" | "batch";

export interface Operation<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  /** `noun_verb`, at most 24 characters; the noun is the slice's folder and the CLI's first word. */
  readonly name: string;
  /** Carries the words people search by first, then does / returns / not. At most 600 characters. */
  readonly description: string;
  /** What help and documents say besides, and no tool list does. */
  readonly details?: string;
  readonly kind: OperationKind;
  /** False when it works on files alone: the command line then opens no store, and makes none. */
  readonly needsStore?: false;
  /** False when it has to work beside a configuration that cannot be read: it then sees the defaults. */
  readonly needsConfig?: false;
  /** True when it ends or removes something. */
  readonly destructive?: boolean;
  /** `core`: also in the small tool list. `all`: an MCP tool. `none`: CLI only. */
  readonly mcp: "core" | "all" | "none";
  /** Input fields the tool lists show; all of them when absent. The others are named there, and accepted. */
  readonly listedFields?: readonly string[];
  /** The same for the small tool list; `listedFields` when absent. */
  readonly coreFields?: readonly string[];
  /** Input fields given by position on the command line. */
  readonly positional?: readonly string[];
  readonly input: I;
  readonly output: O;
  run(ctx: OperationContext, input: z.infer<I>): Promise<z.infer<O>>;
  /** Text for a person or a model; JSON is shown when it is absent. */
  render?(output: z.infer<O>, view: RenderView): string;
}

/** How text is to be laid out. `paint` adds colour, or nothing where there is none. */
export interface RenderView {
  readonly width: number;
  readonly now: number;
  paint(style: PaintStyle, text: string): string;
  table(head: readonly string[], rows: readonly (readonly string[])[]): string;
  /** The line that names what is legal next: operations, or commands where those are what a reader types. */
  next(operations: readonly string[]): string;
}
export type PaintStyle = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "cyan";

/** Identity function that infers `run` from the schemas. Method syntax of `run` lets one array hold all of them. */
export function defineOperation<I extends z.ZodObject, O extends z.ZodObject>(
  operation: Operation<I, O>,
): Operation<I, O> {
  return operation;
}
