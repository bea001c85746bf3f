import { join } from "node:path";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { openStore } from "../../store/open.ts";
import { type ConsoleFacts, sprintLines } from "./console.rules.ts";
import { isInUse } from "./experiment.store.ts";
import { type Asked, findInputs, type Inputs, readInputs } from "./inputs.ts";
import { folderOutput, makeFolder } from "./output.ts";
import { writeReports } from "./reports.ts";
import { type RunOutcome, runExperiment } from "./runner.ts";
import { feedbackOf } from "./stakeholder-webhook.ts";
import type { SprintRecord, TeamRecord } from "./state.rules.ts";

/** What is to be run in which folder, as it was asked for; plain values, which another process can be given. */
export type FolderAsked = Omit<Asked, "known">;
export type FolderOutcome = Awaited<ReturnType<typeof runInFolder>>;

export interface Watching {
  readonly progress: (done: number, total: number) => void;
  /** Looked at between sprints: true ends the run after the one it is in. */
  readonly isStopped: () => boolean;
}

/** Runs, or goes on with, the experiment of a folder. Stopped, it ends with the sprint it is in. */
export async function runInFolder(asked: FolderAsked, { progress, isStopped }: Watching) {
  const { folder } = asked;
  const known = await findInputs(folder);
  const inputs = readInputs({ ...asked, known });
  progress(inputs.done, inputs.sprints);
  makeFolder(folder);
  const output = folderOutput(folder);
  const store = await openStore({ path: join(folder, ".teamwright", "state.db"), synchronous: "normal" });
  try {
    if (!known && (await isInUse(store.db))) throw notOurs(folder);
    const outcome = await runExperiment({
      ...inputs,
      store,
      output,
      progress,
      feedback: feedbackOf(inputs.config.stakeholder_review, folder, output),
      isCancelled: isStopped,
    });
    await writeReports(store.db, outcome, output);
    return answer(folder, inputs, outcome);
  } finally {
    await store.close();
  }
}

function notOurs(folder: string): TeamwrightError {
  return new TeamwrightError(
    "CONFLICT",
    `${folder} is a project with work in its store, and no run: an experiment takes a folder of its own.`,
    hint("experiment_run", "with another output"),
  );
}

/** What a run answers, whoever has worked in it. */
export function answer(folder: string, inputs: Inputs, outcome: RunOutcome) {
  const { state, sprints, isCancelled } = outcome;
  const fresh = sprints.filter(({ sprint }) => sprint > inputs.done);
  return {
    ok: !isCancelled && state.waitsFor === undefined,
    folder,
    report: join(folder, "final_report.json"),
    sprints_done: state.sprint,
    sprints_wanted: inputs.sprints,
    ...(inputs.done > 0 ? { resumed_after: inputs.done } : {}),
    ...(isCancelled ? { cancelled: true } : {}),
    ...(state.waitsFor ? { waits_for: join(folder, state.waitsFor.file) } : {}),
    ...peopleOf(inputs),
    summary: summaryOf(sprints),
    lines: fresh.flatMap((record: SprintRecord) => sprintLines(record)),
  };
}

function summaryOf(sprints: readonly SprintRecord[]): string {
  const teams = sprints.filter(({ sprint }) => sprint > 0).flatMap((record) => Object.values(record.teams));
  const sum = (value: (team: TeamRecord) => number) => teams.reduce((total, team) => total + value(team), 0);
  return `${sum((team) => team.velocity)} points, ${sum((team) => team.features_completed)} done`;
}

/** Everybody the configuration names, coordinators too: "Loaded 13 agents"; who comes and goes is in the reports. */
function peopleOf({ config }: Inputs) {
  const { coordinators } = config.coordination;
  const ids = [...config.teams.flatMap(({ agents }) => agents), ...coordinators];
  return {
    agents: ids.map((id) => ({ id, name: config.models.agents?.[id]?.name ?? id })),
    teams: config.teams.map(({ id, name = id, agents }) => ({ id, name, agents: agents.length })),
    coordinators: [...coordinators],
  } satisfies ConsoleFacts;
}
