/** Reads what the probe plugin recorded. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const probePlugin = fileURLToPath(new URL("../fixtures/probe-plugin", import.meta.url));
export const probeTool = (name: string) => `mcp__plugin_probe_probe__${name}`;

type Fields = Readonly<Record<string, unknown>>;
export interface ProbeLine {
  /** Microseconds of one monotonic clock shared by all processes of the machine. */
  readonly at: number;
  readonly kind: "server-start" | "server-signal" | "server-end" | "mcp" | "tools/call" | "command-hook";
  readonly name?: string;
  readonly input?: Fields;
  readonly meta?: Fields | null;
  readonly payload?: Fields;
  readonly message?: Fields;
}

export interface ProbeLog {
  readonly lines: readonly ProbeLine[];
  /** Whole hook inputs as a command hook received them. */
  payloads(event: string, where?: Fields): readonly Fields[];
  /** What the hidden guard received from a hook's template. */
  guarded(event: string, where?: Fields): readonly Fields[];
  /** Calls made by agents, with their `_meta`. */
  called(tool: string): readonly ProbeLine[];
}

function matches(fields: Fields, where: Fields): boolean {
  return Object.entries(where).every(([key, value]) => fields[key] === value);
}

export function readProbeLog(file: string): ProbeLog {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const lines = text
    .split("\n")
    .filter((line) => line !== "")
    // Written by the probe plugin's own log function.
    .map((line) => JSON.parse(line) as ProbeLine)
    .sort((one, other) => one.at - other.at);
  return {
    lines,
    payloads: (event, where = {}) =>
      lines
        .flatMap((line) => (line.kind === "command-hook" && line.payload ? [line.payload] : []))
        .filter((payload) => payload.hook_event_name === event && matches(payload, where)),
    guarded: (event, where = {}) =>
      lines
        .flatMap((line) => (line.kind === "tools/call" && line.name === "guard" && line.input ? [line.input] : []))
        .filter((input) => input.hook === event && matches(input, where)),
    called: (tool) => lines.filter((line) => line.kind === "tools/call" && line.name === tool),
  };
}
