import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Gate } from "../../config/gates.schema.ts";
import { childEnvironment } from "../../kernel/child-environment.ts";
import { isRecord } from "../../kernel/records.ts";
import { storable } from "../../kernel/storable.ts";

const TAIL_BYTES = 16_000;
const KILL_AFTER_MS = 2000;

export type GateResult = "passed" | "failed" | "missing" | "timeout" | "killed";

export interface GateOutcome {
  readonly gate: string;
  readonly command: string;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly result: GateResult;
  readonly outputDigest: string;
  readonly outputTail: string;
  readonly outputBytes: number;
}

/** Runs one gate in `folder`. Never throws: what cannot be run has failed (requirements FP-02, FP-03). */
export async function runGate(gate: Gate, folder: string, now: () => number): Promise<GateOutcome> {
  const [program = "", ...args] = typeof gate.command === "string" ? ["/bin/sh", "-c", gate.command] : gate.command;
  const shown = typeof gate.command === "string" ? gate.command : gate.command.join(" ");
  const startedAt = now();
  const begun = performance.now();
  const output = new Output();
  const ended = await new Promise<Pick<GateOutcome, "exitCode" | "signal" | "result">>((resolve) => {
    // a group of its own: what the command has started goes with it
    const child = spawn(program, args, {
      cwd: folder,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: childEnvironment({ CI: "1", NO_COLOR: "1" }),
    });
    let timedOut = false;
    const end = (signal: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // it has ended by itself
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      output.add(Buffer.from(`\nIt had not ended after ${gate.timeout_seconds} s, its timeout_seconds.\n`));
      end("SIGTERM");
      setTimeout(() => end("SIGKILL"), KILL_AFTER_MS).unref();
    }, gate.timeout_seconds * 1000);
    child.stdout.on("data", (chunk: Buffer) => output.add(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.add(chunk));
    child.on("error", (error) => {
      clearTimeout(timer);
      output.add(Buffer.from(`${error.message}\n`));
      resolve({ exitCode: null, signal: null, result: "missing" });
    });
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      end("SIGKILL"); // what it left behind
      const result = timedOut
        ? "timeout"
        : signal
          ? "killed"
          : code === 0
            ? "passed"
            : isMissing(code)
              ? "missing"
              : "failed";
      setTimeout(() => resolve({ exitCode: code, signal, result }), 20); // the last of its output
    });
  });
  return {
    gate: gate.name,
    command: shown,
    startedAt,
    durationMs: Math.round(performance.now() - begun),
    ...ended,
    ...output.close(),
  };
}

/** What a shell says of a program it does not find, or may not start. */
function isMissing(code: number | null): boolean {
  return code === 127 || code === 126;
}

class Output {
  readonly #hash = createHash("sha256");
  #tail = Buffer.alloc(0);
  #bytes = 0;
  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    this.#tail = Buffer.concat([this.#tail, chunk]);
    if (this.#tail.length > TAIL_BYTES * 2) this.#tail = this.#tail.subarray(-TAIL_BYTES);
  }
  close(): Pick<GateOutcome, "outputDigest" | "outputTail" | "outputBytes"> {
    const tail = this.#tail.subarray(-TAIL_BYTES).toString("utf8");
    return {
      outputDigest: this.#hash.digest("hex"),
      outputTail: storable(tail),
      outputBytes: this.#bytes,
    };
  }
}

/** The gates of a project that names none: what its own files say is run (C-20). */
export function detectGates(folder: string): Gate[] {
  const found: Gate[] = [];
  const add = (name: string, ...command: string[]) => found.push({ name, command, timeout_seconds: 600 });
  const scripts = packageScripts(folder);
  for (const [name, candidates] of [
    ["types", ["typecheck", "type-check", "types", "tsc"]],
    ["lint", ["lint"]],
    ["tests", ["test"]],
  ] as const) {
    const script = candidates.find((candidate) => scripts.has(candidate));
    if (script !== undefined) add(name, "npm", "run", "--silent", script);
  }
  const has = (file: string) => existsSync(join(folder, file));
  if (has("Cargo.toml")) {
    add("types", "cargo", "check", "--quiet");
    add("tests", "cargo", "test", "--quiet");
  }
  if (has("go.mod")) {
    add("lint", "go", "vet", "./...");
    add("tests", "go", "test", "./...");
  }
  if (has("pyproject.toml") || has("setup.cfg")) {
    const text = ["pyproject.toml", "setup.cfg"].map((file) => readText(join(folder, file))).join("\n");
    if (/\bmypy\b/.test(text)) add("types", "mypy", ".");
    if (/\bruff\b/.test(text)) add("lint", "ruff", "check", ".");
    if (/\bpytest\b/.test(text) || has("tests")) add("tests", "python3", "-m", "pytest", "-q");
  }
  const names = new Map<string, number>();
  return found.map((gate) => {
    const n = (names.get(gate.name) ?? 0) + 1;
    names.set(gate.name, n);
    return n === 1 ? gate : { ...gate, name: `${gate.name}-${n}` };
  });
}

function packageScripts(folder: string): Set<string> {
  try {
    const manifest: unknown = JSON.parse(readText(join(folder, "package.json")));
    const scripts = isRecord(manifest) && isRecord(manifest.scripts) ? manifest.scripts : {};
    const isPlaceholder = (text: unknown) => typeof text !== "string" || /no test specified/.test(text);
    return new Set(Object.keys(scripts).filter((name) => !isPlaceholder(scripts[name])));
  } catch {
    return new Set();
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** What a thresholds file asks for: a command that measures, and the least per measure (requirements DC-02, FP-03). */
export interface CoverageRule {
  readonly gate: Gate | undefined;
  readonly thresholds: Readonly<Record<string, number>>;
}

export function coverageRule(folder: string, file: string): CoverageRule | undefined {
  const text = readText(join(folder, file));
  if (text === "") return undefined;
  const parsed = parseJson(text);
  if (!isRecord(parsed)) return { gate: undefined, thresholds: { unreadable: 101 } };
  const command = isRecord(parsed.enforcement) ? parsed.enforcement.command : undefined;
  const thresholds = Object.fromEntries(
    Object.entries(isRecord(parsed.thresholds) ? parsed.thresholds : {}).filter(
      (entry): entry is [string, number] => typeof entry[1] === "number",
    ),
  );
  const gate =
    typeof command === "string" && command.trim() !== ""
      ? { name: "coverage", command, timeout_seconds: 1800 }
      : undefined;
  return { gate, thresholds };
}

/** Measures below their threshold, from the summary that the run has just written; undefined when there is none. */
export function coverageShortfall(
  folder: string,
  thresholds: Readonly<Record<string, number>>,
  since: number,
): string[] | undefined {
  const file = join(folder, "coverage", "coverage-summary.json");
  if (!existsSync(file) || statSync(file).mtimeMs < since - 1000) return undefined;
  const summary = parseJson(readText(file));
  const total = isRecord(summary) && isRecord(summary.total) ? summary.total : {};
  return Object.entries(thresholds).flatMap(([measure, least]) => {
    const found = total[measure];
    const percent = isRecord(found) && typeof found.pct === "number" ? found.pct : 0;
    return percent < least ? [`${measure} ${percent} %, at least ${least} %`] : [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
