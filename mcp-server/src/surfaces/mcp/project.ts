import { findProjectRoot } from "../../config/project-root.ts";
import { TeamwrightError } from "../../kernel/errors.ts";
import type { Runtime } from "../../kernel/execute.ts";
import { configStamp, type OpenProject, openProject, type RuntimeOptions, withOperations } from "../../runtime.ts";
import type { Guard } from "../guard/guard.ts";

/** A host that swallows connections takes seconds to fail, and every hook of the client would wait for it. */
const RETRY_AFTER_MS = 1000;
const RETRY_AFTER_DURATIONS = 4;

/** What calls run on. */
export interface Opened {
  readonly runtime: Runtime;
  /** Absent where no client's hooks are to be believed. */
  readonly guard: Guard | undefined;
}

interface Failure {
  readonly error: TeamwrightError;
  /** The configuration it failed with. */
  readonly stamp: string;
  /** When to try again, on the clock of `performance`. */
  readonly until: number;
}

/**
 * The project a server works on. It is opened once; after a failure a call tries again as soon as teamwright.yaml is
 * another file, or a while has passed, so that what was mended is taken without a restart.
 */
export class Project {
  readonly #options: RuntimeOptions & { readonly hasGuard: boolean };
  #started: Promise<OpenProject> | undefined;
  #opening: Promise<Opened & { close(): Promise<void> }> | undefined;
  #failure: Failure | undefined;

  constructor(options: RuntimeOptions & { readonly hasGuard: boolean }) {
    this.#options = options;
  }

  /** Opens configuration and store ahead of the first call, and no more. A failure is told at each call. */
  async start(): Promise<void> {
    if (this.#started || this.#opening || this.#failure) return; // a call was first
    this.#started = openProject(this.#options);
    await this.#started.catch(() => {});
  }

  /** Runtime and guard. Throws INVALID_INPUT with all problems of the configuration, or UNAVAILABLE with the reason. */
  async open(): Promise<Opened> {
    const failure = this.#failure;
    if (!this.#opening && failure && !this.#isStale(failure)) throw failure.error;
    this.#opening ??= this.#tryOnce();
    return this.#opening;
  }

  /** What is open now; waits for an opening under way. */
  async opened(): Promise<(Opened & { close(): Promise<void> }) | undefined> {
    const started = await this.#started?.catch(() => undefined);
    if (!this.#opening && started) await started.store.close(); // nothing was ever called
    return this.#opening?.catch(() => undefined);
  }

  async #tryOnce() {
    const stamp = this.#stamp(); // before reading: an edit meanwhile is to be seen
    const begun = performance.now();
    try {
      const started = this.#started ?? openProject(this.#options);
      this.#started = undefined; // a second try opens anew
      const runtime = await withOperations(await started);
      const guard = this.#options.hasGuard ? await guardOf(runtime) : undefined;
      return { runtime, guard, close: () => runtime.close() };
    } catch (error) {
      const now = performance.now();
      const until = now + Math.max(RETRY_AFTER_MS, (now - begun) * RETRY_AFTER_DURATIONS);
      this.#failure = { error: failureOf(error), stamp, until };
      this.#opening = undefined;
      throw this.#failure.error;
    }
  }

  #isStale(failure: Failure): boolean {
    return performance.now() > failure.until || this.#stamp() !== failure.stamp;
  }

  #stamp(): string {
    return configStamp(findProjectRoot(this.#options.start));
  }
}

async function guardOf(runtime: Runtime): Promise<Guard> {
  const { Guard } = await import("../guard/guard.ts");
  return new Guard(runtime);
}

/** Turns whatever failed into something a caller may see; the rest goes to stderr. */
export function failureOf(error: unknown): TeamwrightError {
  if (error instanceof TeamwrightError) return error;
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return new TeamwrightError("UNAVAILABLE", "Teamwright could not reach its store; its error output says why.");
}
