import { existsSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_FILE } from "../../config/project-root.ts";
import { experimentSession } from "../../kernel/child-environment.ts";
import { TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { GuardContext, GuardRule, Verdict } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { activeRun } from "../run/run.store.ts";
import { type Obstacle, protectionOf, watchMode, writeObstacle } from "./file.rules.ts";
import { activeLeases } from "./file.store.ts";
import { matchingGlob } from "./glob.rules.ts";
import { placesOf } from "./place.ts";

const WRITERS = /^(Edit|MultiEdit|Write|NotebookEdit)$/;
const STORE = ".teamwright";

/**
 * Whoever the rules bind does not write them: an agent's edit of teamwright.yaml or of the store is refused in a run
 * and outside, whatever is declared (requirement FO-03). A project without the file has no rules yet, and an agent may
 * set it up.
 */
export function configurationGuard(): GuardRule {
  return {
    name: "configuration-files",
    promise: "No agent edits teamwright.yaml or the store, whatever way a path leads there.",
    failsClosed: true,
    beforeTool: {
      tools: WRITERS,
      async decide(ctx) {
        const { call, runtime } = ctx;
        if (call.agentId === "" && experimentSession() === undefined) return undefined; // a person sits with the lead
        const { root } = runtime.config;
        const kept = existsSync(join(root, CONFIG_FILE)) ? [CONFIG_FILE, STORE] : [STORE];
        const places = placesNamed(ctx);
        if (!Array.isArray(places)) return undefined; // writes nothing
        const path = places.find((place) => matchingGlob(kept, place) !== undefined);
        if (path === undefined) return undefined;
        await note(ctx, path, "configuration");
        return { refusal: matchingGlob([STORE], path) === undefined ? configurationReason : storeReason };
      },
    },
  };
}

const configurationReason =
  "teamwright.yaml binds whoever works here, and so no agent writes it: say in your report what should change; the lead or a person does it.";
const storeReason = "The store under .teamwright is written by the teamwright tools only.";

/**
 * Who may write which file by the client's own tools: protected before lease before ownership (requirements FO-01,
 * FO-03, FO-06). What a shell writes is not seen here; file_check_diff finds it.
 */
export function fileGuard(): GuardRule {
  return {
    name: "file-ownership",
    promise: "No agent edits a protected file, or one that another owns or has on lease.",
    failsClosed: true,
    beforeTool: { tools: WRITERS, decide },
  };
}

async function decide(ctx: GuardContext): Promise<Verdict | undefined> {
  const { runtime, principal } = ctx;
  const { config, store } = runtime;
  const inRun = await leadsRun(ctx);
  const mode = watchMode(config, inRun);
  if (mode === undefined) return undefined;
  const places = placesNamed(ctx);
  if (!Array.isArray(places)) return places;
  const isFree = mode === "off" || (principal.kind === "lead" && !(inRun && config.lead_edits === "owned"));
  const leases = isFree ? [] : await activeLeases(store.db);
  for (const path of places) {
    const obstacle = isFree
      ? protectionObstacle(config.protected, path)
      : writeObstacle({ path, who: principal, map: config.ownership, protectedGlobs: config.protected, leases });
    if (!obstacle) continue;
    if (obstacle.kind !== "protected" && mode === "warn")
      return { context: `${reasonOf(path, obstacle)} ${next(obstacle)}` };
    await note(ctx, path, obstacle.kind);
    return { refusal: `${reasonOf(path, obstacle)} ${next(obstacle)}` };
  }
  return undefined;
}

/** Where the call would write; a refusal where nobody can tell. */
function placesNamed({ call, runtime }: GuardContext): string[] | { refusal: string } {
  const named = textOf(call.toolInput.file_path) || textOf(call.toolInput.notebook_path);
  if (named === "") return { refusal: "The call names no file, and so nobody can tell whose it is." };
  try {
    return placesOf(named, call.cwd, runtime.config.root);
  } catch (error) {
    if (error instanceof TeamwrightError) return { refusal: error.message };
    throw error;
  }
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
async function note({ call, principal, write }: GuardContext, path: string, why: string): Promise<void> {
  await write("guard_file", async (ctx) => {
    ctx.record({
      type: "file.refused",
      subject: principal.agentId ?? principal.key,
      team: principal.team,
      after: { path, tool: call.toolName, why },
    });
  });
}
