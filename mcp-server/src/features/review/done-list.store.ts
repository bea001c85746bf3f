import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";
import { loadMarkdown } from "../report/markdown.rules.ts";
import { parseReport } from "../report/parse.rules.ts";
import { reportOfTask } from "../tag/tag.store.ts";
import { findTaskById } from "../task/task.store.ts";
import { attemptsOf, type GateRunRow, type UnitRow } from "../unit/unit.store.ts";
import { filesOf, itemsOfUnit } from "../unit/unit-tree.ts";
import { type DoneFacts, type DoneLine, doneList } from "./done-list.rules.ts";
import { reviewsOf } from "./review.store.ts";
import type { JudgedItem } from "./verdict.rules.ts";

/** What stands for a unit being done, with how each point is known. `gates`: all its runs, in their order. */
export async function doneListOf(
  db: Kysely<Database>,
  unit: UnitRow,
  gates: readonly GateRunRow[],
  overriddenBy: string | undefined,
): Promise<DoneLine[]> {
  const last = new Map(gates.filter(({ attempt }) => attempt === unit.attempt).map((run) => [run.gate, run]));
  const attempt = (await attemptsOf(db, unit.id)).find(({ n }) => n === unit.attempt);
  const verdict = (await reviewsOf(db, unit.id)).findLast(
    (row) => row.verdict !== null && row.diff_hash === unit.diff_hash,
  );
  return doneList({
    gates: [...last.values()],
    validated: attempt?.validation == null ? undefined : attempt.validation === "passed",
    items: itemsOfUnit(unit),
    review: verdict && { key: verdict.key, items: JSON.parse(verdict.items ?? "[]") as JudgedItem[] }, // by the guard only
    overriddenBy,
    report: await reported(db, unit),
    files: unit.diff_hash === null ? undefined : filesOf(unit),
  });
}

async function reported(db: Kysely<Database>, unit: UnitRow): Promise<DoneFacts["report"]> {
  const task = await findTaskById(db, Number(unit.task_id));
  const row = task && (await reportOfTask(db, task.key));
  if (!row) return undefined;
  await loadMarkdown();
  const { boxes, fields, learnings } = parseReport(row.text);
  const files = fields.filter(({ name }) => name === "files touched").flatMap(({ items }) => items);
  return {
    agent: row.agent_name,
    boxes,
    files: files.map(({ text }) => text.replace(/:\d+$/, "")),
    learnings: learnings.filter(({ isBullet }) => isBullet).length,
  };
}
