import { createHash } from "node:crypto";
import type { Kysely } from "kysely";
import type * as z from "zod";
import type { ProjectConfig } from "../config/config.schema.ts";
import type { Database } from "../store/database.ts";
import type { Store } from "../store/dialect-port.ts";
import { hint, TeamwrightError } from "./errors.ts";
import { newKey } from "./ids.ts";
import { nearest } from "./nearest.ts";
import type { Ask, Effects, FilePort, Operation, OperationContext } from "./operation.ts";
import { type Principal, systemPrincipal } from "./principal.ts";
import { unstorable } from "./storable.ts";
import { wordingOf } from "./wording.ts";

/** What the executor asks of the features; handed over so that the kernel stays below them. */
export interface ExecutorHooks {
  /** Throws FORBIDDEN. Called before anything is read. */
  authorize(operation: Operation, principal: Principal, config: ProjectConfig): void;
  /** Runs inside every write transaction before `run`: due wake-ups and expired leases. */
  beforeWrite(ctx: OperationContext): Promise<void>;
  /** True when `beforeWrite` has something to do; asked before reads, which then see its result. */
  isSweepDue(db: Kysely<Database>, now: number, config: ProjectConfig): Promise<boolean>;
  /** Last step of every write transaction: counters, then events with their chain. */
  flush(ctx: OperationContext, operation: string): Promise<void>;
  findAnswer(ctx: OperationContext, request: IdempotentRequest): Promise<unknown | undefined>;
  saveAnswer(ctx: OperationContext, request: IdempotentRequest, answer: unknown): Promise<void>;
}

export interface IdempotentRequest {
  readonly key: string;
  readonly operation: string;
  readonly inputHash: string;
}

export interface Runtime {
  readonly store: Store;
  readonly config: ProjectConfig;
  readonly hooks: ExecutorHooks;
  readonly now: () => number;
  /** Where ids come from; a seeded source in simulations, which must give the same bytes again. */
  readonly random?: (bytes: number) => Uint8Array;
}

export interface CallOptions {
  readonly principal: Principal;
  readonly idempotencyKey?: string | undefined;
  readonly files?: FilePort;
  readonly progress?: (done: number, total: number, what: string) => void;
  readonly tell?: (line: string) => void;
  /** Asks the person at the session; only where a surface knows that no model answers. */
  readonly ask?: Ask | undefined;
  readonly inspect?: OperationContext["inspect"];
  /** How long to try again while others are in the way; less where the caller itself waits for less. */
  readonly patienceMs?: number;
}

/** A sweep takes a bounded step; a read waits for this many. */
const MAX_SWEEPS = 50;
/** With thirty processes on a busy machine some wait for more than ten seconds. */
const PATIENCE_MS = 20_000;
/** Random and not growing: whoever has waited longest must not be the one who asks most rarely. */
const RETRY_DELAY_MS = 16;

/** Parses, authorises, opens the transaction, runs, flushes, maps errors: the only way to run an operation. */
export async function execute(
  runtime: Runtime,
  operation: Operation,
  rawInput: unknown,
  options: CallOptions,
): Promise<Record<string, unknown>> {
  try {
    const { input: ownInput, key } = takeIdempotencyKey(operation, rawInput);
    const input = parseInput(operation, ownInput);
    const now = atOnce(runtime);
    runtime.hooks.authorize(operation, options.principal, now.config);
    if (operation.kind === "read")
      return await inRead(now, options, operation.name, (ctx) => operation.run(ctx, input));
    if (runtime.store.readOnly) throw new TeamwrightError("UNAVAILABLE", runtime.store.readOnly);
    if (operation.kind === "batch") {
      const ctx = context(runtime, runtime.store.db, options, operation.name);
      return await operation.run(options.ask ? { ...ctx, ask: options.ask } : ctx, input);
    }
    return await inTransaction(now, options, operation.name, (ctx) =>
      answerOnce(now, operation, input, key ?? options.idempotencyKey, ctx),
    );
  } catch (error) {
    throw toTeamwrightError(error, runtime.store);
  }
}

/**
 * The configuration as it is now, for one short call: it is looked for in the file each time it is asked for, which
 * was a fifth of a read. Long operations ask again in each of their steps.
 */
export function atOnce(runtime: Runtime): Runtime {
  const { store, config, hooks, now, random } = runtime;
  return { store, config, hooks, now, ...(random ? { random } : {}) };
}

/** What is due is done first, and the whole of it is tried again while others are in the way. */
async function inRead<T>(
  runtime: Runtime,
  options: CallOptions,
  operationName: string,
  work: (ctx: OperationContext) => Promise<T>,
): Promise<T> {
  const { db, readOnly } = runtime.store;
  const isDue = () => runtime.hooks.isSweepDue(db, runtime.now(), runtime.config);
  for (let step = 0; !readOnly && step < MAX_SWEEPS && (await isDue()); step += 1) await sweep(runtime);
  return untilFree(runtime, options, () => work(context(runtime, db, options, operationName)));
}

/** Wakes what is due and frees expired claims, as the system. */
export async function sweep(runtime: Runtime): Promise<void> {
  await inTransaction(runtime, { principal: systemPrincipal }, "sweep", async () => undefined);
}

async function answerOnce(
  runtime: Runtime,
  operation: Operation,
  input: Record<string, unknown>,
  key: string | undefined,
  ctx: OperationContext,
): Promise<Record<string, unknown>> {
  if (!key) return operation.run(ctx, input);
  const inputHash = createHash("sha256").update(JSON.stringify(input)).digest("hex");
  const request = { key, operation: operation.name, inputHash };
  const earlier = await runtime.hooks.findAnswer(ctx, request);
  if (earlier !== undefined) return earlier as Record<string, unknown>;
  const answer = await operation.run(ctx, input);
  await runtime.hooks.saveAnswer(ctx, request, answer);
  return answer;
}

/** One write transaction with sweep, work and flush; the whole of it is tried again on contention. */
export async function inTransaction<T>(
  runtime: Runtime,
  options: CallOptions,
  operationName: string,
  work: (ctx: OperationContext) => Promise<T>,
): Promise<T> {
  return untilFree(runtime, options, () =>
    runtime.store.db.transaction().execute(async (trx) => {
      const before = context(runtime, trx, { principal: systemPrincipal }, "sweep");
      await runtime.hooks.beforeWrite(before);
      if (before.effects.events.length > 0) await runtime.hooks.flush(before, "sweep");
      const ctx = context(runtime, trx, options, operationName);
      const result = await work(ctx);
      await runtime.hooks.flush(ctx, operationName);
      return result;
    }),
  );
}

/** Does it again while others are in the way, for as long as a caller may be kept waiting. */
async function untilFree<T>(
  runtime: Runtime,
  { patienceMs = PATIENCE_MS }: CallOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  const begun = performance.now();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() - begun > patienceMs || !runtime.store.port.isRetryable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * RETRY_DELAY_MS));
    }
  }
}

function context(
  runtime: Runtime,
  db: Kysely<Database>,
  options: CallOptions,
  operationName: string,
): OperationContext {
  const effects: Effects = { events: [], counts: new Map(), scopes: new Set() };
  const { config } = runtime; // looked up anew each time it is asked for
  return {
    db,
    dialect: runtime.store.port,
    now: runtime.now(),
    principal: options.principal,
    config,
    effects,
    leaseMs: config.claims.lease_seconds * 1000,
    newKey: (prefix) => newKey(prefix ?? config.project.prefix, runtime.random),
    record: (event) => void effects.events.push(event),
    transaction: (work, principal = options.principal) =>
      inTransaction(runtime, { ...options, principal }, operationName, work),
    read: (work) => inRead(runtime, options, operationName, work),
    progress: options.progress ?? (() => {}),
    tell: options.tell ?? (() => {}),
    ...(options.files ? { files: options.files } : {}),
    ...(options.inspect ? { inspect: options.inspect } : {}),
  };
}

/** Every write takes `idempotency_key` beside its own arguments; it is no part of the operation's schema. */
function takeIdempotencyKey(operation: Operation, rawInput: unknown): { input: unknown; key?: string } {
  if (operation.kind !== "write" || typeof rawInput !== "object" || rawInput === null) return { input: rawInput };
  if (!Object.hasOwn(rawInput, "idempotency_key")) return { input: rawInput };
  const { idempotency_key: key, ...input } = rawInput as Record<string, unknown>;
  if (typeof key !== "string" || key.length < 1 || key.length > 200 || unstorable(key).length > 0) {
    throw new TeamwrightError("INVALID_INPUT", "idempotency_key must be a text of 1 to 200 characters.");
  }
  return { input, key };
}

/** Throws INVALID_INPUT that names every problem, with the nearest name for an unknown argument. */
export function parseInput(operation: Operation, rawInput: unknown): Record<string, unknown> {
  const result = operation.input.safeParse(rawInput ?? {}, { error: wordingOf });
  const problems = result.success
    ? unstorable(result.data)
    : result.error.issues.flatMap((issue) => describeIssue(issue, operation));
  if (result.success && problems.length === 0) return result.data as Record<string, unknown>;
  throw new TeamwrightError(
    "INVALID_INPUT",
    `${operation.name} cannot take these arguments.`,
    hint(operation.name, `takes ${Object.keys(operation.input.shape).join(", ") || "no arguments"}`),
    problems.slice(0, 20),
  );
}

function describeIssue(issue: z.core.$ZodIssue, operation: Operation): string[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = issue.path.length === 0 ? Object.keys(operation.input.shape) : [];
    return issue.keys.slice(0, 5).map((key) => {
      const close = nearest(key, known);
      const shown = key.slice(0, 60);
      return `unknown argument ${path ? `${path}.` : ""}${shown}${close ? `; did you mean ${close}?` : ""}`;
    });
  }
  return [`${path || "arguments"}: ${issue.message}`];
}

/** Whatever is not ours becomes INTERNAL with an id; the detail goes to stderr only, never to a caller. */
function toTeamwrightError(error: unknown, store: Store): TeamwrightError {
  if (error instanceof TeamwrightError) return error;
  const explained = store.port.explainFailure(error);
  if (explained) return new TeamwrightError("UNAVAILABLE", explained, hint("doctor_check", "examines the store"));
  if (store.isNewer) return new TeamwrightError("UNAVAILABLE", store.readOnly ?? "");
  const id = newKey("err");
  process.stderr.write(`${id} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return new TeamwrightError(
    "INTERNAL",
    `Something failed inside Teamwright (${id}); nothing was changed.`,
    hint("doctor_check", "examines the store"),
  );
}
