import type { ProjectConfig } from "../../config/config.schema.ts";
import type { LintSetting } from "./lint.schema.ts";

/** Whom a tag may name in every project: the words of seed 001 and the roles the plugin ships. */
const roles = [
  "builder",
  "tester",
  "reviewer",
  "coordinator",
  "orchestrator",
  "lead",
  "architect",
  "system-architect",
  "researcher",
  "documenter",
  "skill-builder",
  "shepherd",
  "adversarial-reviewer",
  "design-reviewer",
  "staff-engineer",
  "enablement-lead",
  "human",
];

/** What the project's configuration says about reports; facts about the tree are added by the caller. */
export function lintSettingOf({ reports, teams }: Pick<ProjectConfig, "reports" | "teams">): LintSetting {
  const levels = Object.entries(reports.rules).map(([id, level]) => [id, level] as const);
  return {
    required: reports.required_sections,
    maxCharacters: reports.max_characters,
    maxCodeLines: reports.max_code_lines,
    levels: Object.fromEntries(levels),
    targets: [...roles, ...teams.flatMap(({ id, agents }) => [...agents, `team:${id}`]), ...reports.targets],
  };
}
