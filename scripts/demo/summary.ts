/** The report after the run: who did what, what waited, what broke and came right, and whether anything was lost. */
import type { RenderView } from "../../mcp-server/src/kernel/operation.ts";
import type { Outcome } from "./acts.ts";
import type { Agent, Answer } from "./agent.ts";
import { fineBar, seconds, sparkline } from "./terminal.ts";
import { flowOf, type Trail } from "./trail.ts";
import type { EventRow } from "./watch.ts";

export interface Result {
  readonly agents: readonly Agent[];
  readonly trail: Trail;
  readonly events: readonly EventRow[];
  readonly outcome: Outcome;
  readonly limits: Readonly<Record<string, number | undefined>>;
  /** Points of every task by id. */
  readonly points: ReadonlyMap<string, number>;
  /** Tasks with the blocked flag now or before, in full. */
  readonly blocked: readonly Answer[];
  readonly doctor: Answer;
  readonly elapsedMs: number;
}

/** Every reason why the run is no success; empty when nothing was lost. */
export function faultsOf(result: Result): string[] {
  const { trail, doctor, outcome } = result;
  const faults: string[] = [];
  if (trail.lost.length > 0) faults.push(`not closed: ${trail.lost.join(", ")}`);
  if (trail.doubled.length > 0) faults.push(`held or closed twice: ${trail.doubled.join(", ")}`);
  if (!doctor.ok) faults.push("doctor_check found something");
  for (const [team, peak] of Object.entries(trail.peaks)) {
    const limit = result.limits[team];
    if (limit !== undefined && peak > limit)
      faults.push(`team ${team} had ${peak} tasks in progress, its limit is ${limit}`);
  }
  const loss = trail.expired.find(({ task, from }) => task === outcome.crash?.task && from === outcome.crash.agent);
  if (!loss) faults.push("no claim of a crashed agent came free");
  else if (loss.to === "" || loss.to === loss.from) faults.push("no other agent took the crashed agent's task");
  if (outcome.crash?.lateWrite !== "CONFLICT")
    faults.push(`the late write after the crash: ${outcome.crash?.lateWrite}`);
  if (trail.dependencies.length === 0) faults.push("no dependency between the teams was resolved");
  if (trail.blocked.length === 0) faults.push("no blocked time was recorded");
  return faults;
}

export function renderSummary(result: Result, view: RenderView): string[] {
  const faults = faultsOf(result);
  return [
    ...renderAgentTable(result, view),
    "",
    ...renderStory(result, view),
    "",
    ...renderCycles(result, view),
    "",
    ...renderFlow(result, view),
    "",
    ...renderVerdict(result, faults, view),
  ];
}

function renderAgentTable({ agents, trail, points }: Result, view: RenderView): string[] {
  const rows = agents.map((agent) => {
    const cycles = trail.cycles.filter((cycle) => cycle.agent === agent.name);
    const sum = cycles.reduce((total, cycle) => total + (points.get(cycle.task) ?? 0), 0);
    const { record } = agent;
    const columns = [String(cycles.length), String(sum), seconds(record.workedMs), seconds(record.waitedMs)];
    columns.push(String(record.refusals), String(record.calls), `${median(record.callMs).toFixed(1)} ms`);
    return [view.paint("cyan", agent.name), agent.team, ...columns.map((text) => text.padStart(7))];
  });
  const heads = ["tasks", "points", "worked", "waited", "refused", "calls", "median"].map((head) => head.padStart(7));
  return view.table(["agent", "team", ...heads], rows).split("\n");
}

function renderStory({ trail, outcome, agents, limits, blocked, doctor }: Result, view: RenderView): string[] {
  const entries: [string, string][] = [];
  const refusals = agents.reduce((sum, agent) => sum + agent.record.refusals, 0);
  const waited = agents.reduce((sum, agent) => sum + agent.record.waitedMs, 0);
  const peaks = Object.entries(trail.peaks).map(([team, peak]) => `${team} ${peak} of ${limits[team] ?? "∞"}`);
  entries.push([
    "WIP limits",
    `${refusals} calls refused with OVER_LIMIT, ${seconds(waited)} of waiting; most in progress at once: ${peaks.join(", ")}`,
  ]);
  for (const stop of trail.blocked) {
    const stored = blocked.find((task) => task.id === stop.task)?.blocked_seconds ?? 0;
    entries.push([
      "Blocked",
      `${stop.task} of ${stop.by} for ${seconds(stop.ms)} (${stop.reason}); the store recorded ${stored} s`,
    ]);
  }
  for (const need of trail.dependencies) {
    entries.push([
      "Between teams",
      `${need.task} of ${need.team} waited ${seconds(need.ms)} for ${need.byTask} of ${need.needs}, free when that closed`,
    ]);
  }
  for (const loss of trail.expired) {
    entries.push([
      "Crash",
      `${loss.from} was killed with ${loss.task}; its lease ended ${seconds(loss.lostMs)} after the claim and ${loss.to} took over ${seconds(loss.freeMs)} later; a late close by ${loss.from}: ${outcome.crash?.lateWrite ?? "none"}`,
    ]);
  }
  entries.push(["Deferred", `${[...new Set(trail.woke)].join(" and ")} woke by themselves`]);
  entries.push([
    "Epics",
    `${outcome.epicsClosed.length} closed from the command line by the lead, each after its last part`,
  ]);
  const failed = doctor.checks.filter((check: Answer) => !check.ok);
  const chain = doctor.checks.find((check: Answer) => check.check === "event chain")?.detail;
  entries.push([
    "Doctor",
    failed.length === 0
      ? `${doctor.checks.length} checks passed; ${chain}`
      : failed.map((check: Answer) => `${check.check}: ${check.detail}`).join("; "),
  ]);
  const label = Math.max(...entries.map(([name]) => name.length)) + 2;
  return entries.flatMap(([name, text]) =>
    wrap(text, view.width - label).map(
      (line, index) => view.paint("bold", (index === 0 ? name : "").padEnd(label)) + line,
    ),
  );
}

/** Bars from the shortest time on, fine enough to show a shape; the few long ones share the last bar. */
function renderCycles({ trail }: Result, view: RenderView): string[] {
  const times = trail.cycles.map((cycle) => cycle.ms).sort((a, b) => a - b);
  const most90 = times[Math.floor(times.length * 0.9)] ?? 0;
  const shortest = times[0] ?? 0;
  const step = [250, 500, 1000, 2000, 5000].find((size) => (most90 - shortest) / size <= 7) ?? 10_000;
  const first = Math.floor(shortest / step) * step;
  const count = Math.floor((most90 - first) / step) + 1;
  const bins = Array.from({ length: count }, (_, index) => {
    const from = first + index * step;
    const label = `${(from / 1000).toFixed(2)}–${((from + step) / 1000).toFixed(2)} s`;
    return { label, n: times.filter((ms) => ms >= from && ms < from + step).length };
  });
  const longer = times.filter((ms) => ms >= first + count * step).length;
  if (longer > 0) bins.push({ label: `… to ${((times.at(-1) ?? 0) / 1000).toFixed(2)} s`, n: longer });
  const most = Math.max(...bins.map((bin) => bin.n));
  const width = Math.min(50, view.width - 24);
  const rows = bins.map(({ label, n }) => `${label.padStart(14)}  ${view.paint("blue", fineBar(n, most, width))} ${n}`);
  return [`${view.paint("bold", "Cycle time")}  first claim to close, median ${seconds(median(times))}`, ...rows];
}

function renderFlow({ events, trail }: Result, view: RenderView): string[] {
  const width = Math.min(80, view.width - 24);
  const { done, active } = flowOf(events, trail, width);
  const mostActive = Math.max(...active);
  const span = seconds(trail.ended - trail.begun);
  return [
    `${view.paint("bold", "Flow")}  over ${span}`,
    `    closed  ${view.paint("green", sparkline(done, done.at(-1) ?? 1))} ${done.at(-1)}`,
    `    active  ${view.paint("blue", sparkline(active, mostActive))} up to ${mostActive}`,
  ];
}

function renderVerdict({ trail, elapsedMs }: Result, faults: readonly string[], view: RenderView): string[] {
  const numbers = `${trail.closed} of ${trail.total} closed, ${trail.doubled.length} doubled`;
  const detail = `${trail.claims} claims, ${trail.closedAtImport} closed before the import, all in ${seconds(elapsedMs)}`;
  if (faults.length === 0) return [view.paint("green", `Nothing lost: ${numbers}`), view.paint("dim", detail)];
  return [
    view.paint("red", `Not as it should be: ${numbers}`),
    ...faults.map((fault) => view.paint("red", `- ${fault}`)),
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
