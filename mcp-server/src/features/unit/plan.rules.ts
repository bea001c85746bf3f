import { overlappingScopes } from "../task/quality.rules.ts";

export const verdicts = ["single", "parallel", "delegated", "team"] as const;
export type EntryVerdict = (typeof verdicts)[number];

export interface PlannedTask {
  readonly key: string;
  readonly title: string;
  readonly labels: readonly string[];
  readonly kind: string;
  readonly scope: readonly string[];
  readonly acceptance: string;
  /** Keys of the planned tasks it waits for. */
  readonly waitsFor: readonly string[];
}

/** "a needs what b finds out while both work": no order, but talk (requirements EN-05). */
export interface InformationNeed {
  readonly from: string;
  readonly to: string;
}

export interface Entry {
  readonly verdict: EntryVerdict;
  readonly reason: string;
  /** Unordered pairs that need each other's discoveries, each once. */
  readonly pairs: readonly (readonly [string, string])[];
}

/** No team without a need to talk: 0 pairs work apart, 1 pair one agent keeps in its head, 2 are a team (EN-01, EN-02). */
export function entryVerdict(tasks: readonly PlannedTask[], needs: readonly InformationNeed[]): Entry {
  const known = new Set(tasks.map((task) => task.key));
  const pairs = new Map<string, readonly [string, string]>();
  for (const { from, to } of needs) {
    if (from === to || !known.has(from) || !known.has(to)) continue;
    const pair = from < to ? ([from, to] as const) : ([to, from] as const);
    pairs.set(pair.join(" "), pair);
  }
  const list = [...pairs.values()];
  if (tasks.length <= 1) return { verdict: "single", reason: "one task needs one agent", pairs: list };
  if (list.length >= 2)
    return {
      verdict: "team",
      reason: `${list.length} pairs need each other's discoveries while they work`,
      pairs: list,
    };
  if (list.length === 1) {
    const [a, b] = list[0] ?? ["", ""];
    return { verdict: "single", reason: `only ${a} and ${b} share discoveries: one agent does both`, pairs: list };
  }
  return isChain(tasks)
    ? { verdict: "delegated", reason: "each task waits for the one before it: one agent after the other", pairs: list }
    : { verdict: "parallel", reason: "no task needs what another finds out: agents work apart", pairs: list };
}

/** True when no two tasks could ever be worked on at the same time. */
function isChain(tasks: readonly PlannedTask[]): boolean {
  const { stages } = stagesOf(tasks);
  return [...countBy(stages.values()).values()].every((n) => n === 1);
}

function countBy(values: Iterable<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** A task whose unit the run has already, and its stage. */
export interface InRun extends PlannedTask {
  readonly stage: number;
  /** It waits for no stage any more. */
  readonly isBegun: boolean;
}

/**
 * The stage of each task, from 1: it waits only for tasks of earlier stages. `circle` holds what waits for itself.
 * `inRun`: units that the run has already keep their stage.
 */
export function stagesOf(
  tasks: readonly PlannedTask[],
  inRun: readonly InRun[] = [],
): { stages: Map<string, number>; circle: string[] } {
  const known = new Map(tasks.map((task) => [task.key, task]));
  const stages = new Map<string, number>();
  const fixed = new Map(inRun.map(({ key, stage }) => [key, stage]));
  const last = Math.max(0, ...fixed.values());
  const stageOf = (key: string) => fixed.get(key) ?? stages.get(key) ?? (known.has(key) ? Number.POSITIVE_INFINITY : 0);
  let left = tasks.map((task) => task.key);
  for (let stage = 1; left.length > 0; stage += 1) {
    const now = left.filter((key) => (known.get(key)?.waitsFor ?? []).every((other) => stageOf(other) < stage));
    if (now.length === 0 && stage > last) return { stages, circle: left };
    for (const key of now) stages.set(key, stage);
    left = left.filter((key) => !stages.has(key));
  }
  return { stages, circle: [] };
}

export interface PlanProblem {
  readonly problem: "scope_conflict" | "no_acceptance" | "no_scope" | "no_integration" | "circle";
  readonly tasks: readonly string[];
  readonly text: string;
}

/** What stands against starting (requirements TD-06, TD-08, FO-04, FO-07). `no_integration` alone is advice. */
export function planProblems(tasks: readonly PlannedTask[], inRun: readonly InRun[] = []): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const { stages, circle } = stagesOf(tasks, inRun);
  if (circle.length > 0)
    problems.push({ problem: "circle", tasks: circle, text: `wait for each other: ${circle.join(", ")}` });
  for (const task of tasks) {
    if (task.acceptance.trim() === "")
      problems.push({ problem: "no_acceptance", tasks: [task.key], text: `${task.key} has no acceptance criteria` });
    if (task.scope.length === 0)
      problems.push({ problem: "no_scope", tasks: [task.key], text: `${task.key} names no files it may change` });
  }
  const all = [...tasks, ...inRun];
  for (const [a, b, common] of overlappingScopes(all.map((task) => task.scope))) {
    const [left, right, old] = [tasks[a], all[b], inRun[b - tasks.length]];
    if (!left || !right) continue; // both are in the run already
    const [stage, other] = [stages.get(left.key), old?.stage ?? stages.get(right.key)];
    const isAtOnce = stage === other || (old?.isBegun === true && (stage ?? 0) < old.stage);
    if (!isAtOnce) continue;
    problems.push({
      problem: "scope_conflict",
      tasks: [left.key, right.key],
      text: `${left.key} and ${right.key} may both change ${common} at the same time: merge them or let one wait`,
    });
  }
  const integrates = tasks.some((task) => isIntegration(task, tasks));
  if (tasks.length > 1 && !integrates) {
    problems.push({
      problem: "no_integration",
      tasks: [],
      text: "no task waits for all the others and shows that they work together",
    });
  }
  return problems;
}

/** A task of the last stage that waits, directly or not, for every other. */
function isIntegration(task: PlannedTask, all: readonly PlannedTask[]): boolean {
  const known = new Map(all.map((each) => [each.key, each]));
  const reached = new Set<string>();
  const queue = [task.key];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (reached.has(key)) continue;
    reached.add(key);
    queue.push(...(known.get(key)?.waitsFor ?? []).filter((other) => known.has(other)));
  }
  return reached.size === all.length;
}

/** One line, one item; bullets, boxes and numbers are only marks. */
export function itemsOf(acceptance: string): string[] {
  return acceptance
    .split("\n")
    .map((line) => line.replace(/^\s*(?:[-*+]|\d+[.)])?\s*(?:\[[ xX]\]\s*)?/, "").trim())
    .filter((line) => line !== "")
    .slice(0, 50);
}

export type Level = "swarm" | "issue" | "review";

/** `swarm-auth-overhaul`, `issue-123`, `review-user-auth-design` (requirements TN-01, TN-02). */
export function runName(level: Level, about: string): string {
  const rest = about
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const bare = rest.startsWith(`${level}-`) ? rest.slice(level.length + 1) : rest;
  return `${level}-${(bare || "work").slice(0, 55).replace(/-+$/, "")}`;
}

export interface ModeChoice {
  readonly mode: "team" | "task";
  readonly reason: string;
}

/** Team only where the verdict asks for it and the client can do it; a setting decides before both (C-02, C-03). */
export function chooseMode(
  setting: "team" | "task" | undefined,
  verdict: EntryVerdict,
  tools: readonly string[],
): ModeChoice {
  if (setting !== undefined) return { mode: setting, reason: "the configuration says so" };
  const has = (name: string) => tools.includes(name);
  if (!has("SendMessage") || !(has("Agent") || has("TeamCreate")))
    return { mode: "task", reason: "the client offers no named agents that can be written to" };
  if (verdict !== "team") return { mode: "task", reason: `the work is ${verdict}: nobody needs to be talked to` };
  return { mode: "team", reason: "the client offers messages, and the work needs them" };
}
