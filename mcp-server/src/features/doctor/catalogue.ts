import type { GuardRule } from "../../kernel/guard-rule.ts";
import { hookProbes } from "./hook-probes.ts";
import { laterRules } from "./later-rules.ts";
import type { RuleEntry } from "./rule-entry.ts";
import { teamRules } from "./team-rules.ts";
import { workRules } from "./work-rules.ts";

/** All rules of the product, those of the hooks as they are given. */
export function allRules(guardRules: readonly GuardRule[]): RuleEntry[] {
  return [...guardRules.map(hookRule), ...workRules, ...teamRules, ...laterRules];
}

function hookRule(rule: GuardRule): RuleEntry {
  const { name, promise, failsClosed, keepsRecords } = rule;
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
    onFailure: onFailure(rule),
    keepsRecords: keepsRecords === true,
    ...probe,
  };
}

function onFailure({ failsClosed, agentStops }: GuardRule): string {
  if (!failsClosed) return "the call passes, with a line in the server's log";
  return agentStops ? "the stop is refused three times, then it passes and the lead is told" : "the call is refused";
}
