import { hashEvent } from "../event/event.store.ts";
import { diffFindings } from "../file/diff.rules.ts";
import { lintReport } from "../report/lint.rules.ts";
import { lintSettingOf } from "../report/lint-setting.rules.ts";
import { loadMarkdown } from "../report/markdown.rules.ts";
import { parseReport } from "../report/parse.rules.ts";
import { held, missed, type RuleEntry } from "./rule-entry.ts";
import { newestEvent } from "./trail.store.ts";

type Found = Pick<RuleEntry, "name" | "source" | "promise" | "offBy"> &
  Pick<Partial<RuleEntry>, "probe" | "reason" | "strict">;

/** A rule that prevents nothing and finds what went past the others: in CI, at a commit, or when somebody looks. */
function found(entry: Found): RuleEntry {
  return { place: "afterwards", strict: false, onFailure: "the command ends with another exit code than 0", ...entry };
}

/** A rule that a skill teaches and no program holds. */
function advice(skill: string, promise: string): RuleEntry {
  return {
    name: `skill ${skill}`,
    promise,
    place: "advice",
    strict: false,
    source: `skills/${skill}`,
    offBy: "is advice",
    onFailure: "nobody notices",
    reason: "advice only: a skill says so and nothing checks it",
  };
}

/** What is told from the process itself: no canary can play another process. */
const sessionShell: RuleEntry = {
  name: "shell-of-a-session",
  promise: "No writing command that the client's session has started counts as a person's.",
  place: "transaction",
  strict: false,
  source: "design §3",
  offBy: "cannot be switched off",
  onFailure: "the command counts as the person's",
  reason:
    "not tried: told from a command's ancestors and the client's mark in their environment; one that leaves its parents and has shed the mark before is not found",
};

/** What is found afterwards, and what is only said. */
export const laterRules: readonly RuleEntry[] = [
  sessionShell,
  found({
    name: "event-chain",
    source: "design §3, §4",
    promise: "An event that was changed, removed or put in by opening the store is found by this command.",
    offBy: "cannot be switched off",
    strict: true,
    async probe(scene) {
      await scene.task();
      const event = await scene.write((ctx) => newestEvent(ctx.db));
      if (!event) return missed("a new task left no event");
      if (hashEvent(event) !== event.hash) return missed(`event ${event.seq} does not fit its own hash`);
      return hashEvent({ ...event, actor: "somebody else" }) === event.hash
        ? missed("an event with another actor fits the same hash")
        : held("an event with another actor no longer fits its hash");
    },
  }),
  found({
    name: "check-diff",
    source: "FO-03, FO-05, FO-08",
    promise:
      "A change of protected, owned or leased files that went past the guard is found by `teamwright check-diff`.",
    offBy: "holds where CI or a hook of git runs it",
    async probe(scene) {
      const files = [{ path: "canary/.env", status: "added" }];
      const facts = { map: scene.config.ownership, protectedGlobs: scene.config.protected, leases: [], allowed: [] };
      const [finding] = diffFindings({ ...facts, files, level: "error" });
      return finding
        ? held(`a change of canary/.env: ${finding.message}`)
        : missed("a change of canary/.env: nothing was found");
    },
  }),
  found({
    name: "report-lint",
    source: "RP-09",
    promise: "A report that its readers could not use is found by `teamwright report lint`.",
    offBy: "holds where CI or pre-commit runs it; `reports.rules`",
    async probe(scene) {
      await loadMarkdown();
      const findings = lintReport(parseReport("I am through."), lintSettingOf(scene.config));
      const ids = [...new Set(findings.map((finding) => finding.rule))].slice(0, 4).join(", ");
      return findings.length > 0
        ? held(`a report of one sentence: ${ids}`)
        : missed("a report of one sentence: nothing was found");
    },
  }),
  found({
    name: "skills-lint",
    source: "design §10",
    promise: "No shipped skill or role names an operation there is not, or costs more than its budget.",
    offBy: "holds in the checks of Teamwright's own repository",
    reason: "part of Teamwright's own checks; a project has no skills of its own to examine",
  }),
  advice("choosing-a-mode", "Work that needs no shared discoveries is not given to a team."),
  advice("decomposing-work", "Tasks are cut so that each can be done, reviewed and undone on its own."),
  advice("learning", "What surprised somebody is written down for the next one."),
  advice("escalating", "Who is stuck says so early."),
  advice("routing-tags", "Each tag goes to whom it concerns, with what they need to act on it."),
];
