import { resolve } from "node:path";
import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import * as fields from "../task/task.schema.ts";
import { checkTeam } from "../team/team.rules.ts";
import type { ReadStory } from "./backlog-file.rules.ts";
import { loadVerdicts } from "./portfolio.schema.ts";
import { loadStory, lockPortfolio, PORTFOLIO, saveBacklog } from "./story.store.ts";

const STORIES_PER_TRANSACTION = 200;
const MAX_BYTES = 16_000_000;

const row = z.object({
  file: z.string(),
  line: z.number(),
  id: z.string().optional(),
  team: z.string().optional(),
  verdict: z.enum(loadVerdicts),
  reason: z.string(),
});
type Row = z.infer<typeof row>;

export const portfolioLoad = defineOperation({
  name: "portfolio_load",
  description:
    "Load stories of a backlog file (YAML or JSON) into the portfolio, or into a team's own backlog: a verdict per story (created, updated, kept, rejected) with the reason. Without a file: what `portfolio.backlog` and the teams' `backlog` name. Twice is harmless; stories a team has already stay as they are.",
  kind: "batch",
  mcp: "none",
  positional: ["file"],
  input: z.strictObject({
    file: z.string().min(1).max(4096).optional().describe("Path of a backlog file; - for standard input."),
    team: fields.teamId.optional().describe("The team whose own backlog the file is; the portfolio otherwise."),
    dry_run: z.boolean().optional().describe("Only report."),
  }),
  output: z.object({
    ok: z.boolean(),
    dry_run: z.boolean(),
    total: z.number(),
    created: z.number(),
    updated: z.number(),
    kept: z.number(),
    rejected: z.number(),
    rows: z.array(row),
  }),
  async run(ctx, input) {
    const isDryRun = input.dry_run ?? false;
    const rows: Row[] = [];
    for (const source of sourcesOf(ctx, input)) rows.push(...(await loadFile(ctx, source, isDryRun)));
    const count = (verdict: Row["verdict"]) => rows.filter((each) => each.verdict === verdict).length;
    const rejected = count("rejected");
    return {
      ok: rejected === 0,
      dry_run: isDryRun,
      total: rows.length,
      created: count("created"),
      updated: count("updated"),
      kept: count("kept"),
      rejected,
      rows,
    };
  },
  render(output, view) {
    const lines = [
      `${output.dry_run ? "Would load" : "Loaded"} ${output.total} stories: ${loadVerdicts.map((verdict) => `${output[verdict]} ${verdict}`).join(", ")}.`,
    ];
    const loud = output.rows.filter(({ verdict }) => verdict === "rejected" || verdict === "updated");
    for (const item of loud.slice(0, 50)) {
      const colour = item.verdict === "rejected" ? "red" : "yellow";
      lines.push(
        `${item.file}:${item.line} ${view.paint(colour, item.verdict)} ${plainLine(item.id ?? "", 64)} ${plainLine(item.reason, 300)}`,
      );
    }
    if (loud.length > 50) lines.push(`… and ${loud.length - 50} more; --json has all`);
    return [...lines, view.next(["portfolio_show", "portfolio_distribute"])].join("\n");
  },
});

interface Source {
  /** As it is named, for messages. */
  readonly name: string;
  readonly path: string;
  readonly owner: string;
}

/** Throws INVALID_INPUT when nothing says what to load. */
function sourcesOf({ config }: OperationContext, input: { file?: string | undefined; team?: string | undefined }) {
  const owner = input.team === undefined ? PORTFOLIO : checkTeam(config, input.team);
  if (input.file !== undefined) return [{ name: input.file, path: input.file, owner }];
  const named = [
    { owner: PORTFOLIO, name: config.portfolio.backlog },
    ...config.teams.map(({ id, backlog }) => ({ owner: id, name: backlog })),
  ];
  const sources = named.flatMap(({ owner: whose, name }): Source[] =>
    name === undefined || (input.team !== undefined && whose !== owner)
      ? []
      : [{ name, path: resolve(config.root, name), owner: whose }],
  );
  if (sources.length > 0) return sources;
  throw new TeamwrightError(
    "INVALID_INPUT",
    "No backlog is named, here or in teamwright.yaml.",
    hint("portfolio_load", "with a file"),
  );
}

async function loadFile(ctx: OperationContext, source: Source, isDryRun: boolean): Promise<Row[]> {
  if (!ctx.files) throw new TeamwrightError("UNAVAILABLE", "Files are read at the command line only.");
  const text = await ctx.files.read(source.path, MAX_BYTES);
  const { readBacklog } = await import("./backlog-file.rules.ts");
  const teams = ctx.config.teams.map(({ id }) => id);
  const { stories, product } = readBacklog(text, teams);
  const rows: Row[] = [];
  for (let start = 0; start < stories.length; start += STORIES_PER_TRANSACTION) {
    const chunk = stories.slice(start, start + STORIES_PER_TRANSACTION);
    rows.push(...(await loadChunk(ctx, source, chunk, isDryRun)));
    ctx.progress(Math.min(start + STORIES_PER_TRANSACTION, stories.length), stories.length, "stories");
  }
  if (!isDryRun) await ctx.transaction((inner) => saveBacklog(inner, source.owner, source.name, product));
  return rows;
}

/** One bad story never takes others with it: a chunk that fails is tried again story by story. */
async function loadChunk(
  ctx: OperationContext,
  source: Source,
  stories: readonly ReadStory[],
  isDryRun: boolean,
): Promise<Row[]> {
  const work = async (inner: OperationContext) => {
    if (!isDryRun) await lockPortfolio(inner);
    const rows: Row[] = [];
    for (const read of stories) rows.push(await loadOne(inner, source, read, isDryRun));
    return rows;
  };
  if (isDryRun) return work(ctx);
  return ctx.transaction(work).catch(async (error: unknown) => {
    if (error instanceof TeamwrightError && error.code === "UNAVAILABLE") throw error; // else every story were bad
    const [only] = stories;
    if (only && stories.length === 1) {
      const reason = error instanceof TeamwrightError ? error.message : "the store refused it";
      return [rowOf(source, only, "rejected", reason)];
    }
    const rows: Row[] = [];
    for (const read of stories) rows.push(...(await loadChunk(ctx, source, [read], isDryRun)));
    return rows;
  });
}

async function loadOne(ctx: OperationContext, source: Source, read: ReadStory, isDryRun: boolean): Promise<Row> {
  if (!read.story) return rowOf(source, read, "rejected", read.problems.join("; "));
  const { verdict, reason } = await loadStory(ctx, source.owner, read.story, isDryRun);
  return rowOf(source, read, verdict, reason);
}

function rowOf({ name, owner }: Source, { line, id }: ReadStory, verdict: Row["verdict"], reason: string): Row {
  return {
    file: name,
    line,
    ...(id === undefined ? {} : { id }),
    ...(owner === PORTFOLIO ? {} : { team: owner }),
    verdict,
    reason,
  };
}
