import type { GuardRule } from "../../kernel/guard-rule.ts";
import { hookProbes } from "./hook-probes.ts";
import { laterRules } from "./later-rules.ts";
import type { RuleEntry } from "./rule-entry.ts";
import { workRules } from "./work-rules.ts";

/** All rules of the product, those of the hooks as they are given. */
export function allRules(guardRules: readonly GuardRule[]): RuleEntry[] {
  return [...guardRules.map(hookRule), ...workRules, ...laterRules];
}

function hookRule({ name, promise, failsClosed, keepsRecords }: GuardRule): RuleEntry {
  const probe = hookProbes[name] ?? {
    source: "",
    hook: { event: "PreToolUse", tool: "" },
    reason: "nobody has written a probe for it",
  };
  return {
    name,
    promise,
    place: "hook",
    strict: failsClosed,
    offBy: keepsRecords ? "cannot be switched off: it notes who is who" : "`guard: off`",
    onFailure: failsClosed ? "the call is refused" : "the call passes, with a line in the server's log",
    keepsRecords: keepsRecords === true,
    ...probe,
  };
}
