import type { Runtime } from "../../kernel/execute.ts";
import { Git } from "../../kernel/git.ts";
import type { GuardContext } from "../../kernel/guard-rule.ts";
import { resetFailures } from "../escalation/attempt.store.ts";
import { failUnit } from "../unit/failure.store.ts";
import { gateScope } from "../unit/people.store.ts";
import { changeAttempt, getUnitById, noteInstance, saveUnit, type UnitRow } from "../unit/unit.store.ts";
import { filesOf, itemsOfUnit } from "../unit/unit-tree.ts";
import { changeReview, findReview, type ReviewRow } from "./review.store.ts";
import { judge, type Place, parseVerdict, placesOf, type Verdict } from "./verdict.rules.ts";
import { voidReview } from "./void.store.ts";

const MAX_KEPT = 200_000;
const SEEN = "REVIEWER_SEEN: its instance has worked on this unit before";

interface Answer {
  readonly review: ReviewRow;
  readonly agentId: string;
  readonly answer: string;
  /** This instance has implemented or reviewed the unit before. */
  readonly isSeenBefore: boolean;
  readonly write: GuardContext["write"];
}

/**
 * Records what the reviewer said. Returns why it is asked once more; a second answer that is none makes the review void,
 * and another fresh reviewer is needed. Only a verdict moves the unit.
 */
export async function answerReview(runtime: Runtime, given: Answer): Promise<string | undefined> {
  const { review, agentId, answer } = given;
  const kept = answer.slice(0, MAX_KEPT);
  const unit = await getUnitById(runtime.store.db, Number(review.unit_id));
  const items = Math.max(1, itemsOfUnit(unit).length);
  const parsed = given.isSeenBefore ? SEEN : parseVerdict(answer, items);
  const counted =
    typeof parsed === "string" ? { fault: parsed } : judge(parsed, await existing(runtime, unit, parsed, kept));
  if ("fault" in counted && review.asked_again === 0 && !given.isSeenBefore) {
    await given.write("guard_verdict", async (trx) => {
      await changeReview(trx, review.id, { asked_again: 1, fault: counted.fault });
      trx.record({ type: "review.asked_again", subject: review.key, after: { fault: counted.fault } });
    });
    return `Your answer is no verdict: ${counted.fault}. Answer once more, with the lines you were asked for.`;
  }
  await given.write("guard_verdict", async (trx) => {
    await trx.dialect.lockName(trx.db, `review:${unit.key}`); // whoever opens another makes this one void
    if ((await findReview(trx.db, review.key))?.status !== "taken") return; // another review was opened meanwhile
    await noteInstance(trx, unit.id, agentId, "review");
    if ("fault" in counted) {
      const asked = { ...review, agent_id: review.agent_id ?? agentId };
      await voidReview(trx, await getUnitById(trx.db, unit.id), asked, counted.fault, kept);
      return;
    }
    const verdict = parsed as Verdict;
    await changeReview(trx, review.id, {
      status: "answered",
      agent_id: agentId,
      verdict: counted.verdict,
      items: JSON.stringify(verdict.items),
      issues: JSON.stringify(verdict.issues),
      answer: kept,
      fault: null,
      answered_at: trx.now,
    });
    trx.record({
      type: "review.answered",
      subject: review.key,
      after: { unit: unit.key, verdict: counted.verdict, agent: agentId, diff_hash: review.diff_hash },
    });
    const current = await getUnitById(trx.db, unit.id);
    if (current.phase !== "review" || current.diff_hash !== review.diff_hash) return; // the unit has moved on
    if (counted.verdict === "PASS") {
      await changeAttempt(trx, current, { review: "PASS" });
      const passed = { scope: gateScope(current, "review"), operation: "gate", by: agentId, gate: "review" } as const;
      await resetFailures(trx, passed);
      await saveUnit(trx, current, "approve");
    } else await failUnit(trx, current, "review", reasonOf(verdict));
  });
  return undefined;
}

function reasonOf(verdict: Verdict): string {
  const issues = verdict.issues.filter((issue) => issue.blocking).map((issue) => issue.text);
  const items = verdict.items.filter((item) => item.verdict === "FAIL").map((item) => `item ${item.n}: ${item.text}`);
  return `review FAIL: ${[...items, ...issues].join("; ")}`;
}

/**
 * Knows which lines exist in the frozen tree, or stood in a file of the unit before it was changed: what was deleted is
 * in the diff, but a test that was is none. Names of the unit's own files may hold blanks and brackets.
 */
async function existing(runtime: Runtime, unit: UnitRow, verdict: Verdict, answer: string) {
  const { tree, base, worktree } = unit;
  // the objects are the repository's: they are there also when the unit's working tree has gone meanwhile
  const git = await Git.at(worktree ?? runtime.config.root).catch(() => Git.at(runtime.config.root));
  const [now, before] = [new Map<string, number>(), new Map<string, number>()];
  const own = filesOf(unit);
  const named = own.filter((file) => answer.includes(`${file}:`));
  const count = async (at: string | null, path: string) => (at === null ? 0 : ((await git.linesIn(at, path)) ?? 0));
  for (const path of new Set([...placesOf(verdict).map((place) => place.path), ...named])) {
    now.set(path, await count(tree, path));
    if (own.includes(path)) before.set(path, await count(base, path));
  }
  const isIn = (path: string, line: number, isTest: boolean) =>
    line >= 1 && line <= Math.max(now.get(path) ?? 0, isTest ? 0 : (before.get(path) ?? 0));
  return ({ path, line }: Place, isTest: boolean) =>
    isIn(path, line, isTest) ||
    named.some((file) => file.endsWith(path) && answer.includes(`${file}:${line}`) && isIn(file, line, isTest));
}
