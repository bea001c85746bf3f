import type { LintRule } from "./lint.schema.ts";
import { quoted, topOf } from "./lint-match.rules.ts";
import type { ParsedReport, Span } from "./report.schema.ts";

/** The paths of `**Files touched**` as the tree writes them. */
function touchedPaths({ fields }: ParsedReport): (Span & { path: string })[] {
  return fields
    .filter(({ name }) => name === "files touched")
    .flatMap(({ items }) => items)
    .map(({ text, start, end }) => ({ path: plainPath(text), start, end }));
}

/** `./a.ts:12` → `a.ts` */
function plainPath(path: string): string {
  return path
    .replaceAll("\\", "/")
    .replace(/^\.\//, "")
    .replace(/:\d+(?:[-:]\d+)?$/, "");
}

const listed = { fields: "**Files touched**: src/login.ts\n**Tests affected**: tests/login.test.ts" };

export const scopeRules: readonly LintRule[] = [
  {
    id: "TW501",
    level: "error",
    description:
      "Files touched lie within the author's lease (`--lease`): what another agent owns is asked for by a tag.",
    good: listed,
    bad: { fields: "**Files touched**: src/login.ts, docs/login.md\n**Tests affected**: none" },
    *check(report, { isLeased }) {
      if (!isLeased) return;
      for (const { path, start, end } of touchedPaths(report))
        if (!isLeased(path)) yield { start, end, message: `${quoted(path)} is outside the lease.` };
    },
  },
  {
    id: "TW502",
    level: "error",
    description: "Every file that the work changed (`--changed`) is listed as touched.",
    good: listed,
    bad: { fields: "**Files touched**: none\n**Tests affected**: none" },
    *check(report, { changed }) {
      if (!changed) return;
      const there = new Set([
        ...touchedPaths(report).map(({ path }) => path),
        ...report.fields.flatMap(({ name, items }) =>
          name === "tests affected" ? items.map(({ text }) => plainPath(text)) : [],
        ),
      ]);
      const { start, end } = report.fields.find(({ name }) => name === "files touched") ?? topOf(report);
      for (const path of changed)
        if (!there.has(path)) yield { start, end, message: `${quoted(path, 120)} was changed and is not listed.` };
    },
  },
  {
    id: "TW503",
    level: "warn",
    description: "Every file that is listed as touched was changed (`--changed`).",
    good: listed,
    bad: { fields: "**Files touched**: src/login.ts, src/logout.ts\n**Tests affected**: none" },
    *check(report, { changed }) {
      if (!changed) return;
      for (const { path, start, end } of touchedPaths(report))
        if (!changed.has(path)) yield { start, end, message: `${quoted(path)} is listed and was not changed.` };
    },
  },
  {
    id: "TW504",
    level: "error",
    description: "No protected file (`protected` of teamwright.yaml, `--protected`) is touched.",
    good: listed,
    bad: { fields: "**Files touched**: src/login.ts, src/.env\n**Tests affected**: none" },
    *check(report, { isProtected }) {
      if (!isProtected) return;
      for (const { path, start, end } of touchedPaths(report))
        if (isProtected(path)) yield { start, end, message: `${quoted(path)} is protected.` };
    },
  },
];
