import { plainLine } from "../../kernel/fence.ts";
import { Git } from "../../kernel/git.ts";
import { commitsBeyond } from "../../kernel/git-heads.ts";
import { type PlainPush, pushedTip, wideningSetting } from "../../kernel/git-push.ts";
import type { GuardContext, GuardRule } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { runsOfSession } from "../run/run.store.ts";
import { short } from "./history.rules.ts";
import { foreignAmong } from "./history.store.ts";
import { historyCommand, MERGING_TOOLS, mergesRequest, plainPush, SHELLS } from "./shell.rules.ts";
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
        const runs = await runsOfSession(runtime.store.db, call.session);
        const units = (await Promise.all(runs.map((run) => unitsOfRun(runtime.store.db, Number(run.id))))).flat();
        const open = units.filter((unit) => isOpen(unit.phase));
        if (open.length === 0) return undefined;
        const push = call.agentId === "" ? plainPush(textOf(call.toolInput.command)) : undefined;
        if (push !== undefined) return judgePush(ctx, push, units);
        return {
          refusal: `git ${word} would bypass the review of ${open.map((unit) => unit.key).join(", ")}: unit_submit hands work in, unit_commit commits what a fresh reviewer has passed.`,
        };
      },
    },
  };
}

/** What has left the project is merged by a person, unless they have said that agents may (requirement FP-13). */
export function mergeGuard(): GuardRule {
  return {
    name: "people-merge",
    promise: "While a run is open no agent and no lead merges a pull request, unless `units.merge` says so.",
    failsClosed: true,
    beforeTool: {
      tools: new RegExp(`${SHELLS.source}|${MERGING_TOOLS.source}`, "i"),
      async decide({ call, runtime }) {
        const isMerge = MERGING_TOOLS.test(call.toolName) || mergesRequest(textOf(call.toolInput.command));
        if (!isMerge || runtime.config.units.merge === "agents") return undefined;
        if ((await runsOfSession(runtime.store.db, call.session)).length === 0) return undefined;
        return {
          refusal:
            "A person merges pull requests. Say which waits and that its checks have passed: `checkpoint_request` asks them. `units: { merge: agents }` in teamwright.yaml would let agents do it.",
        };
      },
    },
  };
}

/**
 * A unit leaves as soon as it is done (requirements FP-06), while others are still open: the lead may push a branch that
 * has gained nothing since the run's first unit began but units' commits and their merges.
 */
async function judgePush({ runtime, call }: GuardContext, push: PlainPush, units: readonly UnitRow[]) {
  const { root } = runtime.config;
  const folder = call.cwd === "" ? root : call.cwd;
  const tip = await pushedTip(root, folder, push);
  const isDone = units.some((unit) => unit.phase === "done");
  const bases = tip === undefined ? [] : await basesBelow(root, tip, units);
  if (tip === undefined || bases.length === 0 || !isDone)
    return {
      refusal: `git push would bypass the review: the run has nothing to push yet from ${push.branch}; unit_commit makes what may leave, then push it by the name of its branch.`,
    };
  for (const base of bases) {
    const [foreign] = await foreignAmong(runtime.store.db, root, await commitsBeyond(root, [tip], [base]));
    if (foreign === undefined) continue;
    return {
      refusal: `git push would bypass the review: ${push.branch} holds ${short(foreign)}, a commit that no unit_commit has made since the run began. A person may push it.`,
    };
  }
  const setting = await wideningSetting(folder, push);
  if (setting === undefined) return undefined;
  return {
    refusal: `git push would bypass the review: by git's settings (${plainLine(setting, 120)}) it sends more than that branch under its name, or elsewhere. ${setting.startsWith("push.followtags") ? "Push with --no-follow-tags, or a" : "A"} person may push it.`,
  };
}

/** Where units began that the commit stands on; of units one after another the first alone has all that came since. */
async function basesBelow(root: string, tip: string, units: readonly UnitRow[]): Promise<string[]> {
  const bases = [...new Set(units.flatMap(({ base }) => (base === null ? [] : [base])))];
  const git = await Git.at(root);
  const isBelow = await Promise.all(bases.map((base) => git.isReachable(base, tip)));
  return bases.filter((_, index) => isBelow[index]);
}
