import { readComments, readDependencies, readLabels, textOf } from "./beads-edges.rules.ts";
import type { BeadsComment, BeadsIssue, JsonObject, ParsedRow } from "./beads-issue.schema.ts";
import { findJson, isJsonObject } from "./beads-json.rules.ts";
import { type BeadsSource, splitLines } from "./beads-lines.rules.ts";

/** Sibling files of a table dump's issues file (beads-compat §5, §6.1); events carry nothing an issue needs. */
export interface BackupTables {
  dependencies?: BeadsSource;
  labels?: BeadsSource;
  comments?: BeadsSource;
}

export interface BadBackupLine {
  table: keyof BackupTables;
  line: number;
  /** First byte of the file that is no UTF-8, where that is what is wrong. */
  damagedAt?: number;
}

function grouped(
  table: keyof BackupTables,
  source: BeadsSource | undefined,
  bad: BadBackupLine[],
): ReadonlyMap<string, JsonObject[]> {
  const byIssue = new Map<string, JsonObject[]>();
  for (const { line, text, damagedAt } of source === undefined ? [] : splitLines(source)) {
    if (text.trim() === "") continue;
    const row = damagedAt === undefined ? findJson(text) : undefined;
    const id = isJsonObject(row) ? textOf(row.issue_id) : undefined;
    if (!isJsonObject(row) || id === undefined) {
      bad.push(damagedAt === undefined ? { table, line } : { table, line, damagedAt });
      continue;
    }
    const rows = byIssue.get(id);
    if (rows === undefined) byIssue.set(id, [row]);
    else rows.push(row);
  }
  return byIssue;
}

function merged<T>(own: T[], joined: T[], key: (item: T) => string): T[] {
  const taken = new Set(own.map(key));
  return [...own, ...joined.filter((item) => !taken.has(key(item)))];
}

function commentKey(comment: BeadsComment): string {
  return JSON.stringify([comment.author ?? "", comment.createdAt, comment.text]);
}

/** Adds labels, edges and comments from the sibling files to the issues of a table dump; bad lines are reported. */
export function joinBackup(
  rows: readonly ParsedRow[],
  tables: BackupTables,
): { rows: ParsedRow[]; badLines: BadBackupLine[] } {
  const badLines: BadBackupLine[] = [];
  const edges = grouped("dependencies", tables.dependencies, badLines);
  const labels = grouped("labels", tables.labels, badLines);
  const comments = grouped("comments", tables.comments, badLines);
  const joined = rows.map((row): ParsedRow => {
    if (row.kind !== "issue" || row.shape !== "backup") return row;
    const { issue } = row;
    const warnings = [...row.warnings];
    const warn = (code: (typeof warnings)[number]["code"], field: string, message: string) => {
      warnings.push({ code, field, message });
    };
    const tableRows: JsonObject = {
      dependencies: edges.get(issue.id) ?? [],
      labels: (labels.get(issue.id) ?? []).map((label) => textOf(label.label) ?? ""),
      comments: comments.get(issue.id) ?? [],
    };
    const full: BeadsIssue = {
      ...issue,
      dependencies: merged(issue.dependencies, readDependencies(tableRows, issue.id, warn), ({ target }) => target),
      labels: merged(issue.labels, readLabels(tableRows), (label) => label.trim()),
      comments: merged(issue.comments, readComments(tableRows, issue.id, warn), commentKey),
    };
    return { ...row, issue: full, warnings };
  });
  return { rows: joined, badLines };
}
