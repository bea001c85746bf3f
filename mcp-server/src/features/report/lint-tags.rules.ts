import { nearest } from "../../kernel/nearest.ts";
import type { LintRule } from "./lint.schema.ts";
import { quoted } from "./lint-match.rules.ts";
import { targetedKinds } from "./parse-tags.rules.ts";
import { pointsElsewhere, saysNothing } from "./parse-words.rules.ts";
import type { ParsedReport, Tag } from "./report.schema.ts";

const tagInCode = /^[ \t]*(?:[-*+] )?\[?(?:CROSS-DOMAIN|BLOCKER|INTERFACE-CHANGE):[A-Za-z]/m;

function headOf({ head }: Tag) {
  return { start: head.start, end: head.end };
}

/** Line starts let "the same line" be asked without counting. */
function isOnLineOfAnother({ line, start }: Tag, { tags }: ParsedReport): boolean {
  return tags.some((other) => other.line === line && other.start < start);
}

export const tagRules: readonly LintRule[] = [
  {
    id: "TW201",
    level: "error",
    description:
      "A line that begins like a tag is one: `KIND:target: message` or `[KIND:target] message`, one target each; otherwise nobody receives it.",
    good: { tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test" },
    bad: { tags: "- CROSS-DOMAIN:tester,builder: readSession() in src/login.ts:42 needs a test" },
    *check({ almostTags, text }) {
      for (const { kind, start, end } of almostTags) {
        const line = text.slice(start, end);
        if (/\{[A-Za-z ]+\}/.test(line)) continue; // the template's own words have a rule of theirs
        yield { start, end, message: `${quoted(line)} reaches nobody; write \`${kind}:<target>: <message>\`.` };
      }
    },
  },
  {
    id: "TW202",
    level: "warn",
    description:
      "A tag is spelled as others search for it: capitals, a dash, no spaces around the target. The fix spells it so.",
    isFixable: true,
    good: { tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test" },
    bad: { tags: "- Cross Domain: tester: readSession() in src/login.ts:42 needs a test" },
    *check({ tags, text }) {
      for (const tag of tags) {
        if (tag.canonical === undefined || (tag.target === undefined && targetedKinds.includes(tag.kind))) continue;
        const gap = /^\s|^$/.test(text.slice(tag.head.end, tag.head.end + 1)) ? "" : " ";
        yield {
          ...headOf(tag),
          message: `Write \`${tag.canonical}\`, as others search for it.`,
          fix: [{ ...tag.head, text: `${tag.canonical}${gap}` }],
        };
      }
    },
  },
  {
    id: "TW203",
    level: "error",
    description: "CROSS-DOMAIN and BLOCKER name who it is for; without a target the router has nowhere to put it.",
    good: { tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test" },
    bad: { tags: "- CROSS-DOMAIN: readSession() in src/login.ts:42 needs a test" },
    *check({ tags }) {
      for (const tag of tags)
        if (tag.target === undefined && targetedKinds.includes(tag.kind))
          yield { ...headOf(tag), message: `For whom? Write \`${tag.kind}:<target>: <message>\`.` };
    },
  },
  {
    id: "TW204",
    level: "error",
    description:
      "The target is a role, an agent of a team, `team:<id>` or one of `reports.targets`; when an agent stops in a run, also whoever is in its session. A name nobody has is never read.",
    good: { tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test" },
    bad: { tags: "- CROSS-DOMAIN:testre: readSession() in src/login.ts:42 needs a test" },
    *check({ tags }, { targets }) {
      for (const tag of tags) {
        if (tag.target === undefined || targets.includes(tag.target) || targets.includes(tag.target.toLowerCase()))
          continue;
        const close = nearest(tag.target, targets);
        yield {
          ...headOf(tag),
          message: `Nobody is called ${quoted(tag.target)}${close ? `; did you mean ${close}?` : "."}`,
        };
      }
    },
  },
  {
    id: "TW205",
    level: "error",
    description: "A tag carries its message on the same line; a bare head tells its target nothing.",
    good: { tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test" },
    bad: { tags: "- CROSS-DOMAIN:tester:" },
    *check({ tags }) {
      for (const tag of tags)
        if (saysNothing(tag.text) || !/[\p{L}\p{N}]/u.test(tag.text))
          yield { ...headOf(tag), message: `${tag.kind} says nothing; add the message.` };
    },
  },
  {
    id: "TW206",
    level: "error",
    description: 'A tag says the finding itself and never "see the report": its target does not read this report.',
    good: { tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test" },
    bad: { tags: "- CROSS-DOMAIN:tester: See the report for details" },
    *check({ tags }) {
      for (const { text, start, end } of tags)
        if (pointsElsewhere(text)) yield { start, end, message: `${quoted(text)} is no finding; say what was found.` };
    },
  },
  {
    id: "TW207",
    level: "error",
    description: "Each tag has a line of its own, so that a search by line finds it.",
    good: {
      tags: "- CROSS-DOMAIN:tester: readSession() needs a test\n- INTERFACE-CHANGE: readSession() returns a promise",
    },
    bad: {
      tags: "- CROSS-DOMAIN:tester: readSession() needs a test [INTERFACE-CHANGE] readSession() returns a promise",
    },
    *check(report) {
      for (const tag of report.tags)
        if (tag.placement === "inline" && isOnLineOfAnother(tag, report))
          yield { ...headOf(tag), message: `A second tag on the line; give ${tag.kind} one of its own.` };
    },
  },
  {
    id: "TW208",
    level: "warn",
    description: "A tag begins its line or bullet; one that is only mentioned stands in backticks.",
    good: {
      finding:
        "### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- Sent as `CROSS-DOMAIN:tester: …` before.",
    },
    bad: {
      finding:
        "### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- It is safe now, so CROSS-DOMAIN:tester: write a test for it",
    },
    *check(report) {
      for (const tag of report.tags)
        if (tag.placement === "inline" && !isOnLineOfAnother(tag, report))
          yield {
            ...headOf(tag),
            message: `${tag.kind} inside a sentence; begin a line with it, or put a mention into backticks.`,
          };
    },
  },
  {
    id: "TW209",
    level: "warn",
    description: "Tags of the section stand as bullets: in a code block they are examples and reach nobody.",
    good: { tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test" },
    bad: { tags: "```\nCROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test\n```" },
    *check({ code, text }) {
      for (const { section, start, end } of code)
        if (section === "tags" && tagInCode.test(text.slice(start, end)))
          yield { start, end: start + 3, message: "Tags in a code block are examples; write them as bullets." };
    },
  },
  {
    id: "TW210",
    level: "warn",
    description: "The same tag stands once; each becomes a task or a message.",
    good: { tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test" },
    bad: {
      tags: "- CROSS-DOMAIN:tester: readSession() needs a test\n- CROSS-DOMAIN:tester: readSession() needs a test",
    },
    *check({ tags }) {
      const seen = new Set<string>();
      for (const tag of tags) {
        const key = `${tag.kind}:${tag.target}:${tag.text.toLowerCase()}`;
        if (seen.has(key)) yield { ...headOf(tag), message: `${tag.kind} with these words stands above already.` };
        seen.add(key);
      }
    },
  },
  {
    id: "TW211",
    level: "warn",
    description:
      "What stands among the tags is one: a sentence, a quote or a second paragraph there is given to nobody. A message ends with its paragraph.",
    good: { tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test" },
    bad: { tags: "- The tester should look at readSession() in src/login.ts:42" },
    *check({ untagged, text }) {
      for (const { start, end } of untagged)
        yield {
          start,
          end,
          message: `${quoted(text.slice(start, end))} is no tag and reaches nobody; write \`KIND:target: message\`.`,
        };
    },
  },
];
