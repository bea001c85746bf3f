import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { type Principal, systemPrincipal } from "../../kernel/principal.ts";
import { matchingGlob } from "../file/glob.rules.ts";
import { insertMessage } from "../message/message.store.ts";
import { getRunById } from "../run/run.store.ts";
import { namedBeside } from "../task/overlap.store.ts";
import { getUnit, type UnitRow, unitsOfRun } from "./unit.store.ts";

/** Tasks in hand that are looked at; boards have limits, so these are few. */
const MOST_IN_HAND = 500;
const MOST_NAMED = 5;
const MAX_PATH = 120;

/**
 * Another team hears of a commit that changes what a task of it may write, when it has that task in hand or was told
 * that the two are in conflict: whoever works there goes on from what is there now (requirements MB-06, DE-07). A long
 * backlog with wide scopes hears nothing, and who waits for the task is told by its dependency.
 */
export async function tellCommitted(
  ctx: OperationContext,
  unit: UnitRow,
  what: { readonly commit: string; readonly task: string; readonly team: string; readonly files: readonly string[] },
): Promise<void> {
  const { commit, task, team, files } = what;
  if (ctx.config.teams.length < 2) return;
  const beside = ["", ...(await namedBeside(ctx.db, task))];
  const rows = await ctx.db
    .selectFrom("task")
    .select(["key", "team", "scope"])
    .where((e) =>
      e.or([
        e("status", "in", ["in_progress", "in_review"]),
        e.and([e("status", "=", "open"), e("key", "in", beside)]),
      ]),
    )
    .where("team", "!=", team)
    .where("scope", "is not", null)
    .orderBy("id")
    .limit(MOST_IN_HAND)
    .execute();
  const touched = new Map<string, { tasks: string[]; paths: Set<string> }>();
  for (const row of rows) {
    const scope = JSON.parse(row.scope ?? "[]") as string[]; // written by the task's store only
    const paths = files.filter((path) => matchingGlob(scope, path) !== undefined);
    if (paths.length === 0) continue;
    const found = touched.get(row.team) ?? { tasks: [], paths: new Set<string>() };
    found.tasks.push(row.key);
    for (const path of paths) found.paths.add(path);
    touched.set(row.team, found);
  }
  for (const [other, { tasks, paths }] of touched) {
    const named = some([...paths].map((path) => plainLine(path, MAX_PATH)));
    const text = [
      `[WHAT] ${unit.key} of team ${team} is committed (${commit.slice(0, 12)}).`,
      `[DETAIL] It changes ${named}, in the scope of your ${some(tasks)}.`,
      "[ACTION] Whoever works there goes on from that commit.",
    ].join("\n");
    await insertMessage(ctx, { kind: "INFO", sender: senderOf(ctx), channel: `team:${other}`, text });
  }
}

/** The lead of a run hears when the last unit of a stage is over, and what the next stage waits for (MB-06, FP-07). */
export async function tellGates(ctx: OperationContext): Promise<void> {
  for (const { type, subject } of [...ctx.effects.events])
    if ((type === "unit.committed" || type === "unit.given_up") && subject !== undefined)
      await tellGate(ctx, await getUnit(ctx.db, subject));
}

async function tellGate(ctx: OperationContext, unit: UnitRow): Promise<void> {
  const units = await unitsOfRun(ctx.db, unit.run_id);
  const isOver = ({ phase }: UnitRow) => phase === "done" || phase === "abandoned";
  const left = units.filter((one) => !isOver(one));
  const next = Math.min(...left.map(({ stage }) => stage));
  if (left.length === 0 || next <= unit.stage) return;
  const run = await getRunById(ctx.db, unit.run_id);
  const waits = left.filter(({ stage }) => stage === next).map(({ key }) => key);
  const text = [
    `[WHAT] Stage ${unit.stage} of ${run.key} is over.`,
    `[DETAIL] Stage ${next} (${some(waits)}) ${gates[run.phase_gate] ?? "is next."}`,
    "[ACTION] unit_start begins a unit, and says what is in the way if something is.",
  ].join("\n");
  const key = run.session === null ? undefined : `lead:${run.session}`;
  await insertMessage(ctx, {
    kind: "INFO",
    sender: senderOf(ctx),
    recipient: { name: "lead", key },
    text,
    runId: Number(run.id),
  });
}

const gates: Readonly<Record<string, string>> = {
  merged_local: "may begin: its gate is that the commits are on this branch.",
  pr_merged: "waits until the pull requests of the commits before are merged.",
  manual: "waits for a person's word, which checkpoint_request asks for.",
};

function senderOf({ principal: { session } }: OperationContext): Principal {
  return session === undefined ? systemPrincipal : { ...systemPrincipal, session };
}

function some(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
