import { danglingEdges, dependencyOrder, type EdgeName } from "./beads-graph.rules.ts";
import type { BeadsIssue } from "./beads-issue.schema.ts";
import { findJson, isJsonObject, patchObject, quote } from "./beads-json.rules.ts";
import { type RenderRowOptions, renderRow } from "./beads-row.rules.ts";

export interface BeadsMemory {
  key: string;
  value: string;
  /** Exact text of the imported row. */
  raw?: string;
}

export interface BeadsExportInput {
  issues: readonly BeadsIssue[];
  memories?: readonly BeadsMemory[];
  /** Rows passed through as they are, after the rest: unknown `_type`, tombstones. */
  rawRows?: readonly string[];
}

export interface BeadsExportOptions extends Omit<RenderRowOptions, "lastLine" | "dropped"> {
  /** `dependency` (default): parents and blockers first. `id`: by id, for git. `given`: as passed, memories too. */
  sort?: "dependency" | "id" | "given";
  /** Line of the last export by id, see `RenderRowOptions.lastLine`. */
  lastLines?: ReadonlyMap<string, string>;
}

export interface BeadsExport {
  /** Without newlines. */
  lines: string[];
  /** Edges to ids not in the file: left out, except that `faithful` leaves those a row came with. */
  danglingEdges: EdgeName[];
  /** Edges that close a cycle: left out in `bd` mode. */
  cycleEdges: EdgeName[];
  /** Ephemeral issues, left out in `bd` mode. */
  omittedIssues: string[];
  /** Types bd refuses until `bd config set types.custom` names them. */
  customTypes: string[];
  /** `blocks` between an epic and another type, which bd up to 1.0.5 refuses. */
  epicEdges: EdgeName[];
}

// beads-compat §1.2
const BUILT_IN_KINDS: ReadonlySet<string> = new Set([
  "bug",
  "feature",
  "task",
  "epic",
  "chore",
  "decision",
  "message",
  "molecule",
  "gate",
  "spike",
  "story",
  "milestone",
  "event",
]);

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** One memory line; an imported one stays byte for byte while its value does. */
export function renderMemory({ key, value, raw }: BeadsMemory): string {
  const record = raw === undefined ? undefined : findJson(raw);
  if (raw === undefined || !isJsonObject(record) || record.key !== key)
    return `{"_type":"memory","key":${quote(key)},"value":${quote(value)}}`;
  const was = record.value ?? "";
  const isSame = (typeof was === "string" ? was : JSON.stringify(was)) === value;
  return isSame ? raw : patchObject(raw, new Map([["value", quote(value)]]));
}

function epicEdges(issues: readonly BeadsIssue[]): EdgeName[] {
  const kinds = new Map(issues.map(({ id, kind }) => [id, kind]));
  return issues.flatMap(({ id, kind, dependencies }) =>
    dependencies
      .filter(({ type, target }) => type === "blocks" && kinds.has(target))
      .filter(({ target }) => (kind === "epic") !== (kinds.get(target) === "epic"))
      .map(({ type, target }) => ({ id, target, type })),
  );
}

function droppedBy(edges: readonly EdgeName[]): ReadonlyMap<string, ReadonlySet<string>> {
  const dropped = new Map<string, Set<string>>();
  for (const { id, target } of edges) {
    const targets = dropped.get(id);
    if (targets === undefined) dropped.set(id, new Set([target]));
    else targets.add(target);
  }
  return dropped;
}

function sortIssues(
  ordered: BeadsIssue[],
  given: readonly BeadsIssue[],
  sort: BeadsExportOptions["sort"],
): readonly BeadsIssue[] {
  if (sort === "given") return given;
  return sort === "id" ? ordered.toSorted((a, b) => compareText(a.id, b.id)) : ordered;
}

/**
 * A bd export (beads-compat §6.2): no header, issues, memories by key, raw rows. Export, import into an empty store
 * and export again gives the same bytes.
 */
export function renderBeads(input: BeadsExportInput, options: BeadsExportOptions = {}): BeadsExport {
  const { sort, lastLines, ...rowOptions } = options;
  const strict = options.mode === "bd";
  const omitted = strict ? input.issues.filter(({ ephemeral }) => ephemeral) : [];
  const issues = strict ? input.issues.filter(({ ephemeral }) => !ephemeral) : input.issues;
  const { order, backEdges } = dependencyOrder(issues);
  const dangling = danglingEdges(issues);
  const dropped = droppedBy(strict ? [...dangling, ...backEdges] : dangling);
  const lines = sortIssues(order, issues, sort).map((issue) => {
    const lastLine = lastLines?.get(issue.id);
    const targets = dropped.get(issue.id);
    return renderRow(issue, {
      ...rowOptions,
      ...(lastLine === undefined ? {} : { lastLine }),
      ...(targets === undefined ? {} : { dropped: targets }),
    });
  });
  const memories = input.memories ?? [];
  const sorted = sort === "given" ? memories : memories.toSorted((a, b) => compareText(a.key, b.key));
  lines.push(...sorted.map(renderMemory));
  lines.push(...(input.rawRows ?? []));
  return {
    lines,
    danglingEdges: dangling,
    cycleEdges: backEdges,
    omittedIssues: omitted.map(({ id }) => id),
    customTypes: [...new Set(issues.map(({ kind }) => kind))].filter((kind) => !BUILT_IN_KINDS.has(kind)).sort(),
    epicEdges: epicEdges(issues),
  };
}
