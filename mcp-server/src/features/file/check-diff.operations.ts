import * as z from "zod";
import { TeamwrightError } from "../../kernel/errors.ts";
import { Git } from "../../kernel/git.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { agentPrincipal, findAgent } from "../agent/agent.store.ts";
import { teamOf } from "../agent/placement.store.ts";
import type { Task } from "../task/task.schema.ts";
import * as fields from "../task/task.schema.ts";
import { getTask, resolveKey } from "../task/task.store.ts";
import { compact } from "../task/task.view.ts";
import { diffFindings } from "./diff.rules.ts";
import { renderDiff } from "./diff.view.ts";
import type { WriteFacts } from "./file.rules.ts";
import { author, diffFormats, diffResult } from "./file.schema.ts";
import { activeLeases } from "./file.store.ts";

/** Finds what the guard cannot see: files written by a shell (requirements FO-05, FO-08: untracked ones too). */
export const fileCheckDiff = defineOperation({
  name: "file_check_diff",
  description:
    "Check a diff against protected paths, a task's scope, ownership and leases: what changed since a commit, uncommitted and untracked files too. For CI; finds what was written past the guard. Exit code 1 means findings. Also `teamwright check-diff`.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({
    base: z
      .string()
      .min(1)
      .max(300)
      .refine((ref) => !ref.startsWith("-"), "must be a commit, branch or tag")
      .optional()
      .describe("Commit, branch or tag that the work began from; HEAD unless set."),
    author: author.optional(),
    task: fields.taskRef.optional().describe("Task whose scope must hold; its holder is the author unless told."),
    allow: z.array(z.string().min(1).max(500)).max(200).optional().describe("Globs that a person has approved."),
    format: z.enum(diffFormats).optional().describe("How findings are printed; text unless set."),
  }),
  output: diffResult,
  async run(ctx, input) {
    const { base, files } = await changesSince(ctx, input.base);
    const task = input.task === undefined ? undefined : await getTask(ctx, await resolveKey(ctx, input.task));
    const who = await writer(ctx, input.author, task);
    const mode = ctx.config.ownership_mode ?? "strict";
    const findings = diffFindings({
      files,
      who,
      scope: task?.scope,
      map: ctx.config.ownership,
      protectedGlobs: ctx.config.protected,
      leases: await activeLeases(ctx.db),
      allowed: input.allow ?? [],
      level: mode === "strict" ? "error" : mode === "warn" ? "warning" : "off",
    });
    return compact({
      ok: findings.every(({ level }) => level !== "error"),
      base,
      author: who?.name,
      task: task?.key,
      changed: files.length,
      findings,
      format: input.format,
    });
  },
  render: renderDiff,
});

async function changesSince(ctx: OperationContext, ref: string | undefined) {
  const git = await Git.at(ctx.files?.folder ?? ctx.config.root).catch((error: unknown) => {
    if (error instanceof TeamwrightError && error.code === "FORBIDDEN") throw error;
    throw new TeamwrightError("INVALID_INPUT", "There is no git repository here, and so no diff.");
  });
  const base = ref === undefined ? await git.head() : await git.forkPoint(ref);
  if (base === undefined)
    throw new TeamwrightError(
      "INVALID_INPUT",
      "There is no such commit, or it has no ancestor in common with HEAD; a shallow clone needs its history first.",
    );
  return { base, files: await git.changed(base) };
}

/** The author as ownership sees it: a name may also be that of a role. */
async function writer(
  ctx: OperationContext,
  named: string | undefined,
  task: Task | undefined,
): Promise<WriteFacts["who"] | undefined> {
  if (named === undefined) return task && holderOf(ctx, task);
  const team = named.startsWith("team:") ? named.slice("team:".length) : await teamOf(ctx.db, ctx.config, named);
  const holds = task?.holderName === named ? task.holder : null;
  return { key: holds ?? `author:${named}`, name: named, role: named, ...(team === undefined ? {} : { team }) };
}

/** Of a task that is over only the name is left; its leases have ended with it. */
async function holderOf(ctx: OperationContext, task: Task): Promise<WriteFacts["who"] | undefined> {
  const agentId = task.holder?.startsWith("agent:") ? task.holder.slice("agent:".length) : undefined;
  const row = agentId === undefined ? undefined : await findAgent(ctx.db, agentId);
  if (row) return agentPrincipal(row);
  const name = task.holderName ?? task.assignee;
  if (name === null) return undefined;
  const team = (await teamOf(ctx.db, ctx.config, name)) ?? task.team;
  return { key: task.holder ?? `author:${name}`, name, role: name, team };
}
