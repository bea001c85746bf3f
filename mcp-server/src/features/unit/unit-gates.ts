import type { Kysely } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import type { Gate } from "../../config/gates.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { Git } from "../../kernel/git.ts";
import type { Database } from "../../store/database.ts";
import { coverageRule, coverageShortfall, detectGates, type GateOutcome } from "./gate-run.ts";
import { type UnitRow, unitsInTree } from "./unit.store.ts";
import { scopeOf } from "./unit-tree.ts";

/** The gates of the project, and that of its coverage file. Throws when nobody has said which there are. */
export async function gatesFor(config: ProjectConfig, git: Git): Promise<Gate[]> {
  const gates = config.gates ?? detectGates(git.folder);
  const coverage = coverageRule(git.folder, config.units.coverage_thresholds)?.gate;
  if (config.gates === undefined && gates.length === 0 && !coverage) {
    throw new TeamwrightError(
      "RULE_VIOLATED",
      "No gates are known: teamwright.yaml names none, and none was found in the project's files. `gates: []` says that there are none.",
      hint("doctor_check", "shows what was looked for"),
    );
  }
  return coverage && !gates.some((gate) => gate.name === coverage.name) ? [...gates, coverage] : [...gates];
}

/** What the coverage falls short of; undefined when nothing is asked or it is met (requirements FP-03). */
export function coverageFault(
  config: ProjectConfig,
  folder: string,
  outcomes: readonly GateOutcome[],
): string | undefined {
  const rule = coverageRule(folder, config.units.coverage_thresholds);
  if (!rule || Object.keys(rule.thresholds).length === 0) return undefined;
  if (rule.thresholds.unreadable !== undefined) return `${config.units.coverage_thresholds} cannot be read`;
  const since = Math.min(...outcomes.map((outcome) => outcome.startedAt));
  const short = coverageShortfall(folder, rule.thresholds, since);
  if (short === undefined)
    return rule.gate ? undefined : "no coverage was measured: coverage/coverage-summary.json was not written by a gate";
  return short.length > 0 ? `coverage: ${short.join("; ")}` : undefined;
}

/** What others may change in the same tree: scopes of units under way. */
export async function othersIn(db: Kysely<Database>, unit: UnitRow): Promise<string[][]> {
  const active = await unitsInTree(db, unit.worktree);
  return active.filter((each) => each.id !== unit.id).map(scopeOf);
}
