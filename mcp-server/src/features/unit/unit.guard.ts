import { commitsBeyond, commonFolder, readHeads } from "../../kernel/git-heads.ts";
import type { GuardContext, GuardRule } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { activeRun } from "../run/run.store.ts";
import { short } from "./history.rules.ts";
import { foreignAmong } from "./history.store.ts";
import { historyCommand, plainPush, SHELLS } from "./shell.rules.ts";
import { isOpen } from "./unit.rules.ts";
import { type UnitRow, unitsOfRun } from "./unit.store.ts";

/** While units are open, history is written by unit_commit alone (requirements FP-05; design §7). */
export function historyGuard(): GuardRule {
  return {
    name: "reviewed-commits-only",
    promise:
      "While units are open no agent and no lead commits, merges or throws work away from a shell, or pushes what nobody has reviewed.",
    failsClosed: true,
    beforeTool: {
      tools: SHELLS,
      async decide(ctx) {
        const { call, runtime } = ctx;
        const word = historyCommand(textOf(call.toolInput.command));
        if (word === undefined) return undefined;
        const run = await activeRun(runtime.store.db, call.session);
        if (!run) return undefined;
        const units = await unitsOfRun(runtime.store.db, run.id);
        const open = units.filter((unit) => isOpen(unit.phase));
        if (open.length === 0) return undefined;
        const branch = call.agentId === "" ? plainPush(textOf(call.toolInput.command)) : undefined;
        if (branch !== undefined) return judgePush(ctx, branch, units);
        return {
          refusal: `git ${word} would bypass the review of ${open.map((unit) => unit.key).join(", ")}: unit_submit hands work in, unit_commit commits what a fresh reviewer has passed.`,
        };
      },
    },
  };
}

/**
 * A unit leaves as soon as it is done (requirements FP-06), while others are still open: the lead may push a branch that
 * has gained nothing since the run's first unit began but units' commits and their merges.
 */
async function judgePush({ runtime }: GuardContext, branch: string, units: readonly UnitRow[]) {
  const { root } = runtime.config;
  const heads = readHeads(commonFolder(root) ?? "");
  const tip = heads?.get(branch === "HEAD" ? "HEAD" : `refs/heads/${branch}`);
  const base = units.find((unit) => unit.base !== null && unit.worktree === null)?.base ?? units[0]?.base;
  const isDone = units.some((unit) => unit.phase === "done");
  if (tip === undefined || !base || !isDone)
    return {
      refusal: `git push would bypass the review: the run has nothing to push yet from ${branch}; unit_commit makes what may leave, then push it by the name of its branch.`,
    };
  const [foreign] = await foreignAmong(runtime.store.db, root, await commitsBeyond(root, [tip], [base]));
  if (foreign === undefined) return undefined;
  return {
    refusal: `git push would bypass the review: ${branch} holds ${short(foreign)}, a commit that no unit_commit has made since the run began. A person may push it.`,
  };
}
