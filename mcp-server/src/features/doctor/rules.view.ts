import { plainLine } from "../../kernel/fence.ts";
import type { PaintStyle, RenderView } from "../../kernel/operation.ts";
import { type RuleReport, type RuleStateWord, ruleStates } from "./rule.schema.ts";

const colours: Readonly<Record<RuleStateWord, PaintStyle>> = { enforced: "green", audit: "yellow", off: "dim" };
const LEAST_PROOF = 40;

/** The table of rules and how many are in which state. */
export function renderRules(rules: readonly RuleReport[], view: RenderView): string {
  const taken = Math.max(...rules.map(({ rule }) => rule.length)) + "enforced  transaction  ".length + 2;
  const room = Math.max(LEAST_PROOF, view.width - taken);
  const rows = rules.map(({ state, ok, rule, place, proof }) => [
    view.paint(ok ? colours[state] : "red", state),
    rule,
    place,
    plainLine(proof, room),
  ]);
  return [view.table(["state", "rule", "where", "seen"], rows), tally(rules), ...broken(rules, view)].join("\n");
}

function tally(rules: readonly RuleReport[]): string {
  const held = rules.filter(({ place }) => place !== "advice");
  const counts = ruleStates.map((state) => `${held.filter((rule) => rule.state === state).length} ${state}`);
  return `${counts.join(", ")}; ${rules.length - held.length} are advice`;
}

function broken(rules: readonly RuleReport[], view: RenderView): string[] {
  return rules
    .filter(({ ok }) => !ok)
    .map(({ rule, promise }) => `${view.paint("red", "NOT ENFORCED")} ${rule}: ${promise ?? ""}`);
}
