import { isAbsolute, relative, resolve } from "node:path";
import * as z from "zod";
import { TeamwrightError } from "../../kernel/errors.ts";
import { defineOperation, type FilePort, type FileTree, type OperationContext } from "../../kernel/operation.ts";
import { matchingGlob } from "../file/glob.rules.ts";
import { githubFormat } from "./format-github.view.ts";
import { junitFormat } from "./format-junit.view.ts";
import { sarifFormat } from "./format-sarif.view.ts";
import { textFormat } from "./format-text.view.ts";
import { fixReport, lintReport } from "./lint.rules.ts";
import { type LintedFile, type LintResult, type LintSetting, lintFormats, lintResult } from "./lint.schema.ts";
import { lintSettingOf } from "./lint-setting.rules.ts";
import { loadMarkdown } from "./markdown.rules.ts";
import { parseReport } from "./parse.rules.ts";

/** More of a file than this is not read; a report of that size is too long by far. */
const MAX_BYTES = 4_000_000;
/** Files read side by side, and between two signs of progress. */
const BATCH = 64;

const globs = (text: string) => z.array(z.string().min(1).max(4096)).max(10_000).optional().describe(text);

export const reportLint = defineOperation({
  name: "report_lint",
  description:
    "Lint agents' reports: skeleton, status, tags, evidence, severity, learnings, secrets; rules TW001 and on are in docs/lint-rules.md. Takes files, folders, globs or - for standard input; without any, what `reports.include` names. Changes nothing without fix. Exit code 1 means findings.",
  kind: "read",
  needsStore: false,
  mcp: "none",
  positional: ["files"],
  input: z.strictObject({
    files: z
      .array(z.string().min(1).max(4096))
      .max(100_000)
      .optional()
      .describe("Files, folders, globs, or - for standard input."),
    format: z.enum(lintFormats).optional().describe("How findings are printed; text unless set."),
    fix: z.boolean().optional().describe("Mend in place what can be mended safely, and show the rest."),
    fail_on: z.enum(["error", "warning"]).optional().describe("The least that gives exit code 1; warning unless set."),
    stdin_name: z.string().min(1).max(4096).optional().describe("Shown as the path of standard input."),
    lease: globs("Globs the author may write to, for TW501."),
    changed: globs("Paths the work changed, as of `git diff --name-only`, for TW502 and TW503."),
    protected: globs("Globs that nobody may touch, for TW504, beside `protected` of teamwright.yaml."),
  }),
  output: lintResult,
  async run(ctx, input) {
    const { files, tree } = portsOf(ctx);
    if (input.fix && input.files?.includes("-"))
      throw new TeamwrightError("INVALID_INPUT", "Standard input cannot be fixed in place; name the file.");
    const paths = await tree.find(input.files ?? ctx.config.reports.include, {
      within: "**/*.md",
      ignore: ctx.config.reports.ignore,
      mayBeEmpty: input.files === undefined,
    });
    await loadMarkdown();
    const setting: LintSetting = {
      ...lintSettingOf(ctx.config),
      lineCounts: new Map(),
      ...(input.lease ? { isLeased: await tree.matcher(input.lease) } : {}),
      ...(await protectionBy(ctx, tree, input.protected)),
      ...(input.changed ? { changed: new Set(input.changed) } : {}),
    };
    const linter = { files, tree, setting, fix: input.fix ?? false };
    const linted: LintedFile[] = [];
    for (let start = 0; start < paths.length; start += BATCH) {
      const batch = paths.slice(start, start + BATCH);
      const texts = await Promise.all(batch.map((path) => files.read(path, MAX_BYTES)));
      for (const [index, path] of batch.entries()) linted.push(await lintOne(linter, path, texts[index] ?? ""));
      if (paths.length > BATCH) ctx.progress(Math.min(start + BATCH, paths.length), paths.length, "reports");
    }
    const name = input.stdin_name ?? "<stdin>";
    const isForHost = input.format === "github" || input.format === "sarif";
    const named = linted.map((file) => ({
      ...file,
      path: file.path === "-" ? name : isForHost ? fromRoot(ctx, file.path) : file.path,
    }));
    return {
      ...resultOf(named, input.fail_on ?? "warning"),
      ...(input.format ? { format: input.format } : {}),
    };
  },
  render(output, view) {
    const { format, ...result } = output;
    if (format === "json") return JSON.stringify(result);
    if (format === "sarif") return sarifFormat(result);
    if (format === "github") return githubFormat(result);
    return format === "junit" ? junitFormat(result) : textFormat(result, view);
  },
});

/** What the project protects, in the words of its ownership (requirement FO-03), and what the caller adds to it. */
async function protectionBy(
  { config }: OperationContext,
  tree: FileTree,
  added: readonly string[] = [],
): Promise<Pick<LintSetting, "isProtected">> {
  if (config.protected.length + added.length === 0) return {};
  const isAdded = await tree.matcher(added);
  return { isProtected: (path) => isAdded(path) || matchingGlob(config.protected, path) !== undefined };
}

/** Annotations are placed by paths from the repository's root, wherever the command was started. */
function fromRoot({ config, files }: OperationContext, path: string): string {
  const inside = relative(config.root, resolve(files?.folder ?? config.root, path)).replaceAll("\\", "/");
  return inside.startsWith("..") || isAbsolute(inside) ? path : inside;
}

interface Linter {
  readonly files: FilePort;
  readonly tree: FileTree;
  readonly setting: LintSetting;
  readonly fix: boolean;
}

function portsOf({ files }: OperationContext): { files: FilePort; tree: FileTree } {
  if (files?.tree) return { files, tree: files.tree };
  throw new TeamwrightError("UNAVAILABLE", "Files are read at the command line only.");
}

async function lintOne({ files, tree, setting, fix }: Linter, path: string, source: string): Promise<LintedFile> {
  let text = source;
  let fixed = 0;
  // broken bytes or a cut end would be written back as they were read
  if (fix && !source.includes("\ufffd") && Buffer.byteLength(source) < MAX_BYTES) {
    ({ text, fixed } = fixReport(source, setting));
    if (text !== source) await files.write(path, [text]);
  }
  const report = parseReport(text);
  if (setting.levels.TW306 !== "off") {
    const counts = setting.lineCounts as Map<string, number | undefined>;
    for (const { evidence } of report.findings)
      for (const { path: place } of evidence) if (!counts.has(place)) counts.set(place, await tree.countLines(place));
  }
  return { path, findings: lintReport(report, setting), ...(fixed > 0 ? { fixed } : {}) };
}

function resultOf(linted: readonly LintedFile[], failOn: "error" | "warning"): Omit<LintResult, "format"> {
  const findings = linted.flatMap((file) => file.findings);
  const errors = findings.filter(({ level }) => level === "error").length;
  const warnings = findings.length - errors;
  return {
    ok: errors === 0 && (failOn === "error" || warnings === 0),
    reports: linted.length,
    errors,
    warnings,
    fixed: linted.reduce((sum, file) => sum + (file.fixed ?? 0), 0),
    fixable: findings.filter(({ fixable }) => fixable).length,
    files: linted.filter((file) => file.findings.length > 0 || file.fixed !== undefined),
  };
}
