import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../store/open.ts";
import { type ConsoleFacts, sprintLines } from "./console.rules.ts";
import { type Asked, findInputs, type Inputs, readInputs } from "./inputs.ts";
import { folderOutput } from "./output.ts";
import { writeReports } from "./reports.ts";
import { type RunOutcome, runExperiment } from "./runner.ts";
import type { SprintRecord, TeamRecord } from "./state.rules.ts";

/** Runs, or goes on with, the experiment of a folder. Interrupted, it ends with the sprint it is in. */
export async function runInFolder(asked: Omit<Asked, "known">, progress: (done: number, total: number) => void) {
  const { folder } = asked;
  const inputs = readInputs({ ...asked, known: await findInputs(folder) });
  mkdirSync(folder, { recursive: true });
  const output = folderOutput(folder);
  const store = await openStore({ path: join(folder, ".teamwright", "state.db"), synchronous: "normal" });
  let stopped = false;
  const stop = () => {
    stopped = true;
  };
  process.once("SIGINT", stop);
  try {
    const outcome = await runExperiment({
      ...inputs,
      store,
      output,
      progress,
      feedback: (name) => readIfThere(join(folder, name)),
      isCancelled: () => stopped,
    });
    await writeReports(store.db, outcome, output);
    return answer(folder, inputs, outcome);
  } finally {
    process.removeListener("SIGINT", stop);
    await store.close();
  }
}

/** The same experiment with several seeds, one after the other; each folder is a run of its own that can go on. */
export async function runSeeds(
  asked: Omit<Asked, "known">,
  seeds: number,
  progress: (done: number, total: number) => void,
) {
  const { folder } = asked;
  const lines: string[] = [""];
  let last: Awaited<ReturnType<typeof runInFolder>> | undefined;
  const first = asked.seed ?? (asked.config === undefined ? 1 : readInputs({ ...asked, known: undefined }).seed);
  for (let index = 0; index < seeds; index += 1) {
    const seed = first + index;
    const own = { ...asked, seed, folder: join(folder, `seed-${seed}`) };
    last = await runInFolder(own, (done, total) => progress(index * total + done, seeds * total));
    lines.push(`seed ${seed}: ${last.summary}`);
    if (!last.ok) break;
  }
  if (!last) throw new Error("no seed was run");
  const { resumed_after: _, ...rest } = last;
  return { ...rest, seeds, folder, report: folder, lines };
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
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
