import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { tellConflicts } from "../message/conflict-message.store.ts";
import { checkTeam, teamInView } from "../team/team.rules.ts";
import { openUnitOf } from "../unit/unit.store.ts";
import { type BadBackupLine, joinBackup } from "./interchange/beads-backup.rules.ts";
import { readAll } from "./interchange/beads-export.store.ts";
import { dependencyOrder } from "./interchange/beads-graph.rules.ts";
import { type ImportSetting, importRow, type RowVerdict } from "./interchange/beads-import.store.ts";
import type { ParsedRow } from "./interchange/beads-issue.schema.ts";
import type { BeadsSource } from "./interchange/beads-lines.rules.ts";
import { readBeads } from "./interchange/beads-read.rules.ts";
import { issueFromTask } from "./interchange/beads-task.rules.ts";
import { renderBeads } from "./interchange/beads-write.rules.ts";
import { newConflictsOf, scopedAmong } from "./overlap.store.ts";
import type { Task } from "./task.schema.ts";
import * as fields from "./task.schema.ts";
import { compact } from "./task.view.ts";

const ROWS_PER_TRANSACTION = 200;
const file = z.string().min(1).max(4096).describe("Path of a BEADS JSONL file.");
const verdicts = ["created", "updated", "kept", "conflict", "quarantined"] as const;

const row = z.object({
  line: z.number(),
  id: z.string().optional(),
  verdict: z.enum(verdicts),
  reason: z.string(),
  fields: z.array(z.string()).optional(),
  warnings: z.array(z.string()).optional(),
});

export const taskImport = defineOperation({
  name: "task_import",
  description:
    "Import tasks from a BEADS (bd) issues.jsonl of any version, clean or damaged: a verdict per row (created, updated, kept, conflict, quarantined) with the reason. dry_run reports the same and changes nothing. Twice is harmless; unknown fields survive.",
  kind: "batch",
  mcp: "none",
  positional: ["file"],
  input: z.strictObject({
    file,
    dry_run: z.boolean().optional().describe("Only report."),
    team: fields.teamId.optional().describe("Team of rows that name none; the first team by default."),
    strict: z.enum(["bd"]).optional().describe("bd: read an absent priority as 0, as bd does."),
    allow_stale: z.boolean().optional().describe("Take older rows too, and say so."),
  }),
  output: z.object({
    dry_run: z.boolean(),
    total: z.number(),
    created: z.number(),
    updated: z.number(),
    kept: z.number(),
    conflict: z.number(),
    quarantined: z.number(),
    rows: z.array(row),
  }),
  async run(ctx, input) {
    const source = await readSource(ctx, input.file);
    const team =
      input.team === undefined
        ? (ctx.principal.team ?? ctx.config.teams[0]?.id ?? "main")
        : checkTeam(ctx.config, input.team);
    const read = readBeads(source, input.strict === undefined ? {} : { strict: input.strict });
    const { rows: joined, badLines } = await withTables(ctx, input.file, read);
    const rows = inOrder(joined);
    const setting: ImportSetting = {
      team,
      dryRun: input.dry_run ?? false,
      openUnit: async (inner, taskId) => (await openUnitOf(inner.db, taskId))?.key,
      wouldKeep: new Map(),
      ...(input.allow_stale ? { allowStale: true } : {}),
    };
    const results: RowVerdict[] = [];
    for (let start = 0; start < rows.length; start += ROWS_PER_TRANSACTION) {
      const chunk = rows.slice(start, start + ROWS_PER_TRANSACTION);
      results.push(...(await importChunk(ctx, chunk, setting)));
      ctx.progress(Math.min(start + ROWS_PER_TRANSACTION, rows.length), rows.length, "rows");
    }
    results.sort((a, b) => a.line - b.line);
    results.push(...badLines.map(badTableLine));
    const count = (verdict: RowVerdict["verdict"]) => results.filter((result) => result.verdict === verdict).length;
    return {
      dry_run: setting.dryRun,
      total: results.length,
      created: count("created"),
      updated: count("updated"),
      kept: count("kept"),
      conflict: count("conflict"),
      quarantined: count("quarantined"),
      rows: results,
    };
  },
  render(output, view) {
    const lines = [
      `${output.dry_run ? "Would be: " : ""}${verdicts.map((verdict) => `${output[verdict]} ${verdict}`).join(", ")} of ${output.total} rows`,
    ];
    const loud = output.rows.filter(
      (item) => item.verdict === "conflict" || item.verdict === "quarantined" || item.warnings,
    );
    for (const item of loud.slice(0, 50)) {
      const colour = item.verdict === "quarantined" ? "red" : "yellow";
      lines.push(
        `line ${item.line}: ${view.paint(colour, item.verdict)} ${item.id ?? ""} ${plainLine([item.reason, ...(item.fields ?? []), ...(item.warnings ?? [])].join("; "), 160)}`,
      );
    }
    if (loud.length > 50) lines.push(`… and ${loud.length - 50} more; --json has all`);
    return lines.join("\n");
  },
});

async function readSource(ctx: OperationContext, path: string): Promise<BeadsSource> {
  if (!ctx.files)
    throw new TeamwrightError(
      "UNAVAILABLE",
      "Files are read at the command line only.",
      hint("task_create", "takes tasks in the call"),
    );
  return ctx.files.readBytes?.(path) ?? ctx.files.read(path);
}

/** The rows with what a table dump of bd has in files beside it (beads-compat §5). */
async function withTables(ctx: OperationContext, path: string, rows: readonly ParsedRow[]) {
  const isDump = path !== "-" && rows.some((item) => item.kind === "issue" && item.shape === "backup");
  if (!isDump) return { rows, badLines: [] };
  const table = async (name: string) =>
    readSource(ctx, path.replace(/[^/\\]*$/, `${name}.jsonl`)).catch((error: unknown) => {
      if (error instanceof TeamwrightError && error.code === "NOT_FOUND") return "";
      throw error;
    });
  const [dependencies = "", labels = "", comments = ""] = [
    await table("dependencies"),
    await table("labels"),
    await table("comments"),
  ];
  return joinBackup(rows, { dependencies, labels, comments });
}

function badTableLine({ table, line, damagedAt }: BadBackupLine): RowVerdict {
  const fault = damagedAt === undefined ? "names no issue" : `is not UTF-8 from byte ${damagedAt} of the file on`;
  return { line, verdict: "quarantined", reason: `line ${line} of ${table}.jsonl ${fault}` };
}

/** A dry run decides without writing; a run decides again inside its transaction, so that a concurrent change wins. */
async function importChunk(
  ctx: OperationContext,
  rows: readonly ParsedRow[],
  setting: ImportSetting,
): Promise<RowVerdict[]> {
  const work = async (inner: OperationContext) => {
    inner.effects.ignoreLimits = true;
    const results: RowVerdict[] = [];
    for (const item of rows) results.push(await importRow(inner, item, setting));
    if (!setting.dryRun) await tellConflicts(inner, await newConflictsOf(inner, await takenOver(inner, results)));
    return results;
  };
  if (setting.dryRun) return work(ctx);
  return ctx.transaction(work).catch(async (error: unknown) => {
    // with the store away every row would be called bad
    if (error instanceof TeamwrightError && error.code === "UNAVAILABLE") throw error;
    // one bad row never takes others with it: the chunk is tried again row by row
    if (rows.length === 1) return [refused(rows[0], error)];
    const results: RowVerdict[] = [];
    for (const item of rows) results.push(...(await importChunk(ctx, [item], setting)));
    return results;
  });
}

/** The tasks that a chunk has written and whose files could be others' too. */
async function takenOver(ctx: OperationContext, results: readonly RowVerdict[]): Promise<Task[]> {
  const written = results.filter(({ verdict }) => verdict === "created" || verdict === "updated");
  return scopedAmong(
    ctx.db,
    written.flatMap(({ id }) => id ?? []),
  );
}

function refused(item: ParsedRow | undefined, error: unknown): RowVerdict {
  const id = item?.kind === "issue" ? { id: item.issue.id } : {};
  const reason = error instanceof TeamwrightError ? error.message : "the store refused it";
  return { line: item?.line ?? 0, ...id, verdict: "quarantined", reason };
}

/** Parents and blockers first, so that nothing blocked is ever shown ready between two transactions. */
function inOrder(rows: readonly ParsedRow[]): ParsedRow[] {
  const issues = rows.flatMap((item) => (item.kind === "issue" ? [item.issue] : []));
  const position = new Map(dependencyOrder(issues).order.map((issue, index) => [issue.id, index]));
  const place = (item: ParsedRow) => (item.kind === "issue" ? (position.get(item.issue.id) ?? 0) : -1);
  return rows.toSorted((a, b) => place(a) - place(b) || a.line - b.line);
}

export const taskExport = defineOperation({
  name: "task_export",
  description:
    "Export tasks as BEADS (bd) JSONL, to a file or as lines. faithful gives unchanged imported rows back byte for byte; bd also mends what bd would refuse. Reports edges and rows that bd cannot take.",
  kind: "read",
  mcp: "none",
  positional: ["file"],
  input: z.strictObject({
    file: file.optional(),
    mode: z.enum(["faithful", "bd"]).optional().describe("faithful by default."),
    sort: z
      .enum(["dependency", "id", "given"])
      .optional()
      .describe("dependency (default): parents and blockers first; id: for git; given: order of arrival."),
    team: fields.teamId.optional(),
  }),
  output: z.object({
    total: z.number(),
    file: z.string().optional(),
    lines: z.array(z.string()).optional(),
    dangling: z.number().optional(),
    circles: z.number().optional(),
    omitted: z.array(z.string()).optional(),
    custom_types: z.array(z.string()).optional(),
  }),
  async run(ctx, input) {
    const team = teamInView(ctx.config, ctx.principal, input.team);
    const defaultTeam = ctx.config.teams[0]?.id ?? "main";
    const teams = ctx.config.teams.map((candidate) => candidate.id);
    const { tasks, memories, rawRows } = await readAll(ctx.db, team);
    const exported = renderBeads(
      {
        issues: tasks.map((item) => issueFromTask(item, defaultTeam, teams)),
        memories: memories.map((item) => ({ key: item.key, value: memoryValue(item.raw), raw: item.raw })),
        rawRows: rawRows.map((item) => item.raw),
      },
      { mode: input.mode ?? "faithful", sort: input.sort ?? "dependency" },
    );
    if (input.file !== undefined) {
      if (!ctx.files)
        throw new TeamwrightError(
          "UNAVAILABLE",
          "Files are written at the command line only.",
          hint("task_export", "without file gives the lines"),
        );
      await ctx.files.write(input.file, withNewlines(exported.lines));
    }
    return compact({
      total: exported.lines.length,
      file: input.file,
      lines: input.file === undefined ? exported.lines : undefined,
      dangling: exported.danglingEdges.length || undefined,
      circles: exported.cycleEdges.length || undefined,
      omitted: exported.omittedIssues.length > 0 ? exported.omittedIssues : undefined,
      custom_types: exported.customTypes.length > 0 ? exported.customTypes : undefined,
    });
  },
  render: (output) => output.lines?.join("\n") ?? `${output.total} rows written to ${output.file}`,
});

function* withNewlines(lines: readonly string[]): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}

function memoryValue(raw: string): string {
  const parsed: unknown = JSON.parse(raw);
  const value = typeof parsed === "object" && parsed !== null && "value" in parsed ? parsed.value : "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
