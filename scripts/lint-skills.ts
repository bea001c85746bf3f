/** Lints skills, roles, team templates, eval cases and what else of the plugin no compiler looks at. `node scripts/lint-skills.ts` */
import { join } from "node:path";
import { readCases } from "./texts/eval-case.ts";
import { lintPlugin } from "./texts/lint-plugin.ts";
import { lintTexts } from "./texts/lint-texts.ts";
import type { Problem } from "./texts/shipped-text.ts";
import { readTemplates } from "./texts/team-template.ts";

/** Every problem below a root. */
export function allProblems(root: string): Problem[] {
  return [
    ...lintTexts(root),
    ...lintPlugin(root),
    ...readTemplates(root).flatMap(({ problems }) => problems),
    ...readCases(root).flatMap(({ problems }) => problems),
  ];
}

if (import.meta.main) {
  const problems = allProblems(join(import.meta.dirname, ".."));
  for (const { path, rule, message } of problems) console.error(`${path}: ${message} (${rule})`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
