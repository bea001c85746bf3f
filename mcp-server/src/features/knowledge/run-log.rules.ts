import { plainLine } from "../../kernel/fence.ts";
import type { Knowledge } from "./knowledge.schema.ts";

/** What the server knows of a run; nothing in it was typed by an agent but names and facts (requirements LP-02). */
export interface RunStatistics {
  readonly key: string;
  readonly name: string;
  readonly level: string;
  readonly mode: string;
  readonly verdict: string;
  readonly teams: readonly string[];
  readonly startedAt: number;
  readonly endedAt: number;
  readonly isOpen: boolean;
  readonly note: string | null;
  readonly tasks: readonly { key: string; title: string; status: string; outcome: string | null }[];
  readonly created: number;
  readonly spawns: readonly {
    n: number;
    task: string | null;
    model: string | null;
    log: string | null;
    /** The five parts of the score, by their names. */
    scores: Readonly<Record<string, number>>;
  }[];
  readonly acknowledged: string | null;
  readonly estimateMicroUsd: number;
  readonly messages: number;
  readonly gates: readonly { gate: string; passed: number; failed: number; milliseconds: number }[];
  readonly units: readonly {
    title: string;
    phase: string;
    attempts: number;
    stage: number;
    commit: string | null;
    files: readonly string[];
  }[];
  /** Event types of the protocol with how often they came. */
  readonly events: readonly { type: string; n: number }[];
  readonly learned: readonly Knowledge[];
}

/** `2026-11-21-alpha-issue-123`; `suffix` tells runs of one name and day apart. */
export function runLogName(run: Pick<RunStatistics, "name" | "teams" | "endedAt">, suffix = ""): string {
  const [only, ...others] = run.teams;
  const team = only === undefined ? "main" : others.length > 0 ? "teams" : only;
  return `${day(run.endedAt)}-${slug(team)}-${slug(run.name)}${suffix}`;
}

function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return plain.slice(0, 60) || "run";
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The first line of a log: whose it is, so that a second writing finds it. */
export function runLogMark(key: string): string {
  return `<!-- teamwright:run ${key} -->`;
}

/** The log as markdown, in the shape of LP-02. */
export function renderRunLog(run: RunStatistics): string {
  const done = run.tasks.filter(({ status }) => status === "closed").length;
  const lines = [
    runLogMark(run.key),
    `# ${plainLine(run.name, 100)} - ${day(run.endedAt)}`,
    "",
    `**Tasks:** ${run.created} created, ${done} completed, ${run.tasks.length - done} remaining`,
    "",
    ...overview(run),
    ...work(run),
    ...list("Spawns", run.spawns.map(spawnLine)),
    ...list(
      "Protocol",
      run.events.map(({ type, n }) => `${type}: ${n}`),
    ),
    ...list("What worked", learned(run, ["pattern", "solution", "decision", "rule"])),
    ...list("What didn't work", learned(run, ["mistake"])),
    ...list("Gotchas", learned(run, ["gotcha", "api", "fact", "question"])),
  ];
  return `${lines.join("\n")}\n`;
}

function overview(run: RunStatistics): string[] {
  const { acknowledged, estimateMicroUsd } = run;
  return [
    "| | |",
    "|---|---|",
    ...row("Run", `${run.key}, ${run.level}${run.isOpen ? ", still open" : ""}`),
    ...row("Teams", run.teams.join(", ")),
    ...row("Mode", `${run.mode}; entry verdict ${run.verdict}`),
    ...row("Time", `${iso(run.startedAt)} to ${iso(run.endedAt)} (${duration(run.endedAt - run.startedAt)})`),
    ...row("Spawns", `${run.spawns.length}${acknowledged ? `; more than planned because: ${acknowledged}` : ""}`),
    ...row("Models", models(run)),
    ...row("Estimated cost", estimateMicroUsd > 0 ? `$${(estimateMicroUsd / 1_000_000).toFixed(2)}` : ""),
    ...row("Messages", String(run.messages)),
    ...row("Note", run.note ?? ""),
  ];
}

function work({ tasks, units, gates }: RunStatistics): string[] {
  return [
    ...list(
      "Tasks",
      tasks.map(({ key, title, status, outcome }) => {
        const state = status === "closed" && outcome !== null && outcome !== "done" ? outcome : status;
        return `${key} ${plainLine(title, 120)}: ${state}`;
      }),
    ),
    ...list(
      "Work units",
      units.map(
        ({ title, phase, attempts, stage }) =>
          `${plainLine(title, 120)}: stage ${stage}, ${phase}, ${times(attempts, "attempt")}`,
      ),
    ),
    ...list(
      "Deliverables",
      units.flatMap(({ title, commit, files }) =>
        commit === null ? [] : [`${commit.slice(0, 10)} ${plainLine(title, 80)}: ${files.slice(0, 20).join(", ")}`],
      ),
    ),
    ...list(
      "Gates",
      gates.map(
        ({ gate, passed, failed, milliseconds }) =>
          `${gate}: ${passed} passed, ${failed} failed, ${duration(milliseconds)}`,
      ),
    ),
  ];
}

function spawnLine({ log, task, model, scores }: RunStatistics["spawns"][number]): string {
  const parts = Object.entries(scores).map(([name, score]) => `${name} ${score}`);
  const line = log ?? `${task ?? "no task"}, model ${model ?? "by default"}`;
  return parts.length === 0 ? line : `${line}; ${parts.join(", ")}`;
}

function row(name: string, value: string): string[] {
  return value === "" ? [] : [`| ${name} | ${plainLine(value, 400).replaceAll("|", "\\|")} |`];
}

function list(head: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ["", `## ${head}`, "", ...items.map((item) => `- ${plainLine(item, 400)}`)];
}

function learned(run: RunStatistics, kinds: readonly string[]): string[] {
  return run.learned
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ fact, recommendation, key }) => `${fact}${recommendation === null ? "" : ` → ${recommendation}`} (${key})`);
}

function models({ spawns }: RunStatistics): string {
  const counts = new Map<string, number>();
  for (const { model } of spawns) counts.set(model ?? "by default", (counts.get(model ?? "by default") ?? 0) + 1);
  return [...counts].map(([model, n]) => `${n} ${model}`).join(", ");
}

function times(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
