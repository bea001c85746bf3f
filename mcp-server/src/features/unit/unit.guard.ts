import type { GuardRule } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { activeRun } from "../run/run.store.ts";
import { historyCommand, SHELLS } from "./shell.rules.ts";
import { isOpen } from "./unit.rules.ts";
import { unitsOfRun } from "./unit.store.ts";

/** While units are open, history is written by unit_commit alone (requirements FP-05; design §7). */
export function historyGuard(): GuardRule {
  return {
    name: "reviewed-commits-only",
    promise: "While units are open no agent and no lead commits, merges, pushes or throws work away from a shell.",
    failsClosed: true,
    beforeTool: {
      tools: SHELLS,
      async decide({ call, runtime }) {
        const word = historyCommand(textOf(call.toolInput.command));
        if (word === undefined) return undefined;
        const run = await activeRun(runtime.store.db, call.session);
        if (!run) return undefined;
        const open = (await unitsOfRun(runtime.store.db, run.id)).filter((unit) => isOpen(unit.phase));
        if (open.length === 0) return undefined;
        return {
          refusal: `git ${word} would bypass the review of ${open.map((unit) => unit.key).join(", ")}: unit_submit hands work in, unit_commit commits what a fresh reviewer has passed.`,
        };
      },
    },
  };
}
