import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { checkMayChange } from "../task/task.rules.ts";
import type { Task } from "../task/task.schema.ts";
import * as fields from "../task/task.schema.ts";
import { lockTask } from "../task/task.store.ts";
import { checkOwnTeam } from "../team/team.rules.ts";
import { type Lease, ownerOf, protectionOf } from "./file.rules.ts";
import { type FileState, filePath, fileState, leasePaths } from "./file.schema.ts";
import { activeLeases, giveBack, leasedGlobs, takeLeases } from "./file.store.ts";
import { globMatches } from "./glob.rules.ts";
import { placesOf } from "./place.ts";

const leased = z.object({ task: z.string(), paths: z.array(z.string()), next: z.array(z.string()) });

export const fileLease = defineOperation({
  name: "file_lease",
  description:
    "Lease files for a task you hold: nobody else may write them until the claim ends. A claim leases the task's scope by itself. Refused where another's lease or ownership overlaps.",
  kind: "write",
  mcp: "all",
  positional: ["task", "paths"],
  input: z.strictObject({ task: fields.taskRef, paths: leasePaths }),
  output: leased,
  async run(ctx, input) {
    const task = await heldTask(ctx, input.task);
    await takeLeases(ctx, task, input.paths);
    return { task: task.key, paths: await leasedGlobs(ctx.db, task.id), next: ["task_update", "task_close"] };
  },
  render: ({ task, paths, next }, view) =>
    `${view.paint("green", "Leased")} for ${task}: ${paths.map((path) => plainLine(path, 200)).join(", ")}\n${view.next(next)}`,
});

export const fileRelease = defineOperation({
  name: "file_release",
  description: "Give leased files back before the claim ends: these globs of a task you hold, or all of them.",
  kind: "write",
  mcp: "none", // the end of a claim gives them back by itself
  positional: ["task", "paths"],
  input: z.strictObject({ task: fields.taskRef, paths: leasePaths.optional() }),
  output: leased,
  async run(ctx, input) {
    const task = await heldTask(ctx, input.task);
    const paths = await giveBack(ctx, task, input.paths);
    if (paths.length === 0) {
      throw new TeamwrightError(
        "NOT_FOUND",
        `${task.key} has ${input.paths ? "no lease on these globs" : "nothing leased"}.`,
        hint("file_lease", "takes a lease"),
      );
    }
    return { task: task.key, paths, next: ["file_lease", "task_close"] };
  },
  render: ({ task, paths, next }, view) =>
    `${view.paint("green", "Given back")} by ${task}: ${paths.map((path) => plainLine(path, 200)).join(", ")}\n${view.next(next)}`,
});

/** Whoever directs work may act for the holder; a task nobody holds has nobody to lease for. */
async function heldTask(ctx: OperationContext, ref: string): Promise<Task> {
  const task = await lockTask(ctx, ref);
  checkOwnTeam(ctx.principal, task.team);
  checkMayChange(task, ctx.principal);
  if (task.holder !== null && (task.status === "in_progress" || task.status === "in_review")) return task;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${task.key} is held by nobody, and files are leased for its holder.`,
    hint("task_claim", "takes it"),
  );
}

export const fileOwner = defineOperation({
  name: "file_owner",
  description:
    "Who owns a file and why: the ownership glob that decides, what protects it, and the task that has it on lease.",
  kind: "read",
  mcp: "none",
  positional: ["paths"],
  input: z.strictObject({
    paths: z.array(filePath).min(1).max(1000).describe("Files, there or not, as seen from where you are."),
  }),
  output: z.object({ files: z.array(fileState) }),
  async run(ctx, input) {
    const leases = await activeLeases(ctx.db);
    const from = ctx.files?.folder ?? ctx.config.root;
    return { files: input.paths.flatMap((path) => statesOf(ctx, path, from, leases)) };
  },
  render: (output, view) =>
    view.table(
      ["file", "owner", "why"],
      output.files.map((file) => [view.paint("cyan", plainLine(file.path, 120)), file.owner ?? "", file.why]),
    ),
});

function statesOf(ctx: OperationContext, named: string, from: string, leases: readonly Lease[]): FileState[] {
  const places = attempt(() => placesOf(named, from, ctx.config.root));
  if (places instanceof TeamwrightError) return [{ path: named, why: places.message }];
  if (places.length === 0) return [{ path: named, outside: true, why: "outside the project: nobody's" }];
  return places.map((path) => {
    const protection = protectionOf(ctx.config.protected, path);
    const owned = ownerOf(ctx.config.ownership, path);
    const lease = leases.find(({ glob }) => globMatches(glob, path));
    const holder = lease && plainLine(lease.holderName, 60);
    const reasons = [
      protection && `protected by ${protection}: only people change it`,
      lease && `leased to ${holder} for ${lease.task} (${plainLine(lease.glob, 200)})`,
      owned && `ownership ${owned.glob}`,
    ].filter(Boolean);
    return {
      path,
      ...(owned ? { owner: owned.owner, glob: owned.glob, ...(owned.notes ? { notes: owned.notes } : {}) } : {}),
      ...(protection ? { protected_by: protection } : {}),
      ...(lease && holder ? { lease: { task: lease.task, holder, glob: lease.glob } } : {}),
      why: reasons.length > 0 ? reasons.join("; ") : "no glob matches: free",
    };
  });
}

/** One path that leads nowhere leaves the others their answer. */
function attempt<T>(look: () => T): T | TeamwrightError {
  try {
    return look();
  } catch (error) {
    if (error instanceof TeamwrightError) return error;
    throw error;
  }
}
