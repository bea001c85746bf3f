/** docs/rules.md: every rule of the product, where it holds, what happens when it fails and how it is switched off. */
import { allRules } from "../mcp-server/src/features/doctor/catalogue.ts";
import type { RulePlace } from "../mcp-server/src/features/doctor/rule.schema.ts";
import type { RuleEntry } from "../mcp-server/src/features/doctor/rule-entry.ts";
import { guardRules } from "../mcp-server/src/surfaces/guard/rules.ts";

const places: Readonly<Record<RulePlace, { readonly title: string; readonly text: string }>> = {
  hook: {
    title: "Held by the hooks of the client",
    text: "They are asked before and after calls of the client, in this order, and hold inside a session of it alone. `guard: off` in teamwright.yaml switches them off. If the guard cannot be reached, calls of Teamwright's own tools are blocked and the client's tools go on.",
  },
  transaction: {
    title: "Held by the operations",
    text: "They hold whoever calls and by whatever surface, in the transaction that writes. What is refused leaves nothing behind.",
  },
  afterwards: {
    title: "Found afterwards",
    text: "They prevent nothing: they find what went past the others, where CI, a hook of git or a person runs them.",
  },
  advice: {
    title: "Advice",
    text: "Skills say so; no program holds it. These are the conventions that are not rules.",
  },
};

export function rulesPage(note: string): string {
  const rules = allRules(guardRules.map((make) => make()));
  const sections = Object.entries(places).map(([place, { title, text }]) =>
    [`## ${title}`, text, table(rules.filter((rule) => rule.place === place))].join("\n\n"),
  );
  return `${["# Rules", note, introduction, ...sections].join("\n\n")}\n`;
}

const introduction = `\`teamwright doctor check\`, and the tool \`doctor_check\` in a session, tries each of them: it does on a stage what must not be possible, in a transaction that is undone, and prints for each rule

- *enforced*: it was refused, and the client's hooks that ask the rule have been seen to arrive in this session;
- *audit*: the rule itself holds, and nothing asks it here: there is no client session, no such hook has come yet, or the setting only warns. What is found afterwards is always that;
- *off*: a setting or the project's size leaves nothing of it.

It ends with exit code 1 when a strict rule does not hold where it should: the canary got through, \`guard: off\`, a session whose hooks do not arrive, a broken chain or counter. Outside a session the rules of the hooks are *audit*, and that is no fault.`;

function table(rules: readonly RuleEntry[]): string {
  const head =
    "| Rule | What cannot happen | Strict | When it fails itself | Switched off by | Source |\n|---|---|---|---|---|---|";
  const rows = rules.map((rule) => {
    const cells = [rule.name, rule.promise, rule.strict ? "yes" : "", rule.onFailure, rule.offBy, rule.source];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return [head, ...rows].join("\n");
}
