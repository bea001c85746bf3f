import { plainLine } from "../../kernel/fence.ts";
import type { GuardContext, GuardRule, Verdict } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { activeRun } from "../run/run.store.ts";
import { type Obstacle, protectionOf, watchMode, writeObstacle } from "./file.rules.ts";
import { activeLeases } from "./file.store.ts";
import { placesOf } from "./place.ts";

/**
 * Who may write which file by the client's own tools: protected before lease before ownership (requirements FO-01,
 * FO-03, FO-06). What a shell writes is not seen here; file_check_diff finds it.
 */
export function fileGuard(): GuardRule {
  return {
    name: "file-ownership",
    promise: "No agent edits a protected file, or one that another owns or has on lease.",
    failsClosed: true,
    beforeTool: { tools: /^(Edit|MultiEdit|Write|NotebookEdit)$/, decide },
  };
}

async function decide(ctx: GuardContext): Promise<Verdict | undefined> {
  const { call, runtime, principal } = ctx;
  const { config, store } = runtime;
  const inRun = await leadsRun(ctx);
  const mode = watchMode(config, inRun);
  if (mode === undefined) return undefined;
  const named = textOf(call.toolInput.file_path) || textOf(call.toolInput.notebook_path);
  if (named === "") return { refusal: "The call names no file, and so nobody can tell whose it is." };
  const isFree = mode === "off" || (principal.kind === "lead" && !(inRun && config.lead_edits === "owned"));
  const leases = isFree ? [] : await activeLeases(store.db);
  for (const path of placesOf(named, call.cwd, config.root)) {
    const obstacle = isFree
      ? protectionObstacle(config.protected, path)
      : writeObstacle({ path, who: principal, map: config.ownership, protectedGlobs: config.protected, leases });
    if (!obstacle) continue;
    if (obstacle.kind !== "protected" && mode === "warn")
      return { context: `${reasonOf(path, obstacle)} ${next(obstacle)}` };
    await note(ctx, path, obstacle);
    return { refusal: `${reasonOf(path, obstacle)} ${next(obstacle)}` };
  }
  return undefined;
}

/** A project that declares nothing must not suffer when its store does. */
async function leadsRun({ call, runtime }: GuardContext): Promise<boolean> {
  try {
    return (await activeRun(runtime.store.db, call.session)) !== undefined;
  } catch (error) {
    if (watchMode(runtime.config, false) !== undefined) throw error;
    return false;
  }
}

function protectionObstacle(declared: readonly string[], path: string): Obstacle | undefined {
  const glob = protectionOf(declared, path);
  return glob === undefined ? undefined : { kind: "protected", glob };
}

function reasonOf(path: string, obstacle: Obstacle): string {
  const file = plainLine(path, 200);
  if (obstacle.kind === "protected") return `${file} is protected (${obstacle.glob}): only people change it.`;
  if (obstacle.kind === "leased") {
    const { lease } = obstacle;
    return `${file} is leased to ${plainLine(lease.holderName, 60)} for ${lease.task} (${plainLine(lease.glob, 200)}).`;
  }
  const { owner, glob, notes } = obstacle.owned;
  return `${file} belongs to ${owner} (${glob}${notes ? `: ${plainLine(notes, 300)}` : ""}).`;
}

/** The legal way on. */
function next(obstacle: Obstacle): string {
  if (obstacle.kind === "protected")
    return "Say in your report what should change there, or block the task with the reason (task_update with block).";
  if (obstacle.kind === "leased")
    return "Ask its holder by message to make the change, or do other work until that claim ends and lease it then (file_lease).";
  return "Ask its owner by message to make the change, or the lead to put the file into the scope of your task (task_update with scope), which leases it to you.";
}

/** Refused attempts are part of the trail. */
async function note({ call, principal, write }: GuardContext, path: string, obstacle: Obstacle): Promise<void> {
  await write("guard_file", async (ctx) => {
    ctx.record({
      type: "file.refused",
      subject: principal.agentId ?? principal.key,
      team: principal.team,
      after: { path, tool: call.toolName, why: obstacle.kind },
    });
  });
}
