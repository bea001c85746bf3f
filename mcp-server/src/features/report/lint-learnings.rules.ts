import type { LintRule } from "./lint.schema.ts";
import { quoted } from "./lint-match.rules.ts";

const MAX_LEARNING = 120;
/** requirements LP: what is said after every session and teaches nothing. */
const empty =
  /^(?:(?:session|work|task) (?:ended|started|done|complete[d]?|finished)\b.{0,30}|\d{4}-\d{2}-\d{2}[T\d:.Z, -]{0,20}(?:session.{0,20})?|(?:everything|all|it) (?:went|worked|works|is|was) .{0,20}|(?:all )?good|works? (?:well|fine)|learned a lot|no issues?)[.!]?$/i;

export const learningRules: readonly LintRule[] = [
  {
    id: "TW401",
    level: "warn",
    description: "A learning is one fact of at most 120 characters: it is shown to many agents, one line each.",
    good: { learnings: "- Cookies are set in one place, in src/login.ts." },
    bad: {
      learnings:
        "- Cookies are set in one place, in src/login.ts, which is read by the server at its start and by the worker at its own, so change both.",
    },
    *check({ learnings }) {
      for (const { text, start, end } of learnings)
        if (text.length > MAX_LEARNING)
          yield { start, end, message: `${text.length} characters; the most is ${MAX_LEARNING}. One fact a bullet.` };
    },
  },
  {
    id: "TW402",
    level: "warn",
    description: "Learnings are bullets, one fact each, so that each can be stored and found alone.",
    good: { learnings: "- Cookies are set in one place, in src/login.ts." },
    bad: { learnings: "Cookies are set in one place, in src/login.ts." },
    *check({ learnings, text }) {
      for (const { isBullet, start, end } of learnings)
        if (!isBullet)
          yield { start, end, message: `${quoted(text.slice(start, end))} is no bullet; begin it with \`- \`.` };
    },
  },
  {
    id: "TW403",
    level: "warn",
    description:
      'A learning teaches something: what holds here that the next agent would not expect. A date or "all good" does not.',
    good: { learnings: "- Cookies are set in one place, in src/login.ts." },
    bad: { learnings: "- Session ended 2026-03-01" },
    *check({ learnings }) {
      for (const { text, start, end } of learnings)
        if (empty.test(text) || !/\p{L}.*\s.*\p{L}/su.test(text))
          yield { start, end, message: `${quoted(text)} teaches nothing; write a fact or \`None.\`.` };
    },
  },
];
