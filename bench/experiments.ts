import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import "../mcp-server/src/features/index.ts"; // what simulated agents do are the operations of the table
import { readInputs } from "../mcp-server/src/features/experiment/inputs.ts";
import { folderOutput } from "../mcp-server/src/features/experiment/output.ts";
import { runExperiment } from "../mcp-server/src/features/experiment/runner.ts";
import { openStore } from "../mcp-server/src/store/open.ts";
import { type Bench, inMs, interleaved, type Measurement, median, ratioOf, runToEnd } from "./support.ts";

const TEAMS = 7;
const WARM_UP = 8;
/** Of which the first and the last sprints are compared. */
const WINDOW = 10;
const SEEDS = 4;
const SEED_SPRINTS = 20;

/** A sprint must cost the same however many came before, and two processes must be of use. */
export async function benchExperiments(bench: Bench, sprints: number): Promise<Measurement[]> {
  const folder = join(bench.folder, "experiments");
  mkdirSync(folder);
  writeFileSync(join(folder, "config.yaml"), JSON.stringify(sevenTeams()));
  writeFileSync(join(folder, "backlog.yaml"), JSON.stringify({ stories: stories() }));
  return [await flatness(folder, sprints), await speedUp(bench, folder)];
}

/** CPU time: what else the machine does in one of the two windows counts less than on the clock. */
async function flatness(folder: string, sprints: number): Promise<Measurement> {
  await costs(folder, "warm-up", WARM_UP);
  const ms = await costs(folder, "flat", sprints);
  const early = median(ms.slice(1, 1 + WINDOW)); // coordination begins with the second sprint
  const late = median(ms.slice(-WINDOW));
  return {
    name: `a sprint of ${TEAMS} teams, the last ten of ${sprints}`,
    ours: `${inMs(late)} CPU`,
    floor: `${inMs(early)} in the first coordinated ten`,
    ratio: late / early,
    budget: 1.3,
  };
}

/** CPU ms of each sprint, files and commit included. */
async function costs(folder: string, name: string, sprints: number): Promise<number[]> {
  const own = join(folder, name);
  const asked = { here: folder, folder: own, config: "config.yaml", backlog: "backlog.yaml", sprints };
  const store = await openStore({ path: join(own, ".teamwright/state.db"), synchronous: "normal" });
  const ms: number[] = [];
  let last = cpuMs();
  await runExperiment({
    ...readInputs({ ...asked, known: undefined }),
    store,
    output: folderOutput(own),
    progress: () => {
      const now = cpuMs();
      ms.push(now - last);
      last = now;
    },
  });
  await store.close();
  return ms;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Keeps a core busy for about two seconds. */
const LOOP = "let x = 0; for (let n = 0; n < 6e8; n += 1) x = (x + n) | 0; process.exitCode = x & 0;";

/** What a second process brings, against what it brings two loops that share nothing: a busy machine has no core to give. */
async function speedUp(bench: Bench, folder: string): Promise<Measurement> {
  const program = join(bench.folder, "bin/teamwright");
  const inputs = `--config config.yaml --backlog backlog.yaml --seeds ${SEEDS} --sprints ${SEED_SPRINTS}`.split(" ");
  const played = (jobs: number) => async () => {
    const output = `jobs-${jobs}`;
    rmSync(join(folder, output), { recursive: true, force: true });
    const words = ["experiment", "run", ...inputs, "--jobs", String(jobs), "--output", output, "--quiet"];
    return runToEnd(bench, [program, ...words], folder);
  };
  const loop = () => runToEnd(bench, ["-e", LOOP]);
  const times = await interleaved(3, {
    one: played(1),
    two: played(2),
    loopsInTurn: async () => (await loop()) + (await loop()),
    loopsAtOnce: async () => Math.max(...(await Promise.all([loop(), loop()]))),
  });
  const gains = (slow: readonly number[], fast: readonly number[]) =>
    slow.map((value, index) => value / (fast[index] ?? value));
  const ours = gains(times.one, times.two);
  const floor = gains(times.loopsInTurn, times.loopsAtOnce);
  return {
    name: `${SEEDS} seeds of ${SEED_SPRINTS} sprints by two processes`,
    ours: `${median(ours).toFixed(2)} times`,
    floor: `${median(floor).toFixed(2)} times two plain loops`,
    ratio: ratioOf(ours, floor),
    budget: 0.75,
    atLeast: true,
    note: `${(median(times.two) / 1000).toFixed(1)} s, ${(median(times.one) / 1000).toFixed(1)} s by one`,
  };
}

const fields = ["backend", "frontend", "devops", "database", "security", "networking"];
const crew = [
  { role_archetype: "dev_lead", seniority: "senior" },
  { role_archetype: "tester", seniority: "mid", primary_specialization: "testing" },
  { role_archetype: "developer", seniority: "senior" },
  { role_archetype: "developer", seniority: "mid" },
  { role_archetype: "developer", seniority: "junior" },
  { role_archetype: "product_owner", seniority: "senior", primary_specialization: "product" },
] as const;

/** Coordinated, disturbed, with people who come and go: all that could grow does. */
function sevenTeams() {
  const teams = Array.from({ length: TEAMS }, (_, team) => ({
    id: team === 0 ? "platform" : `team-${team}`,
    team_type: team === 0 ? "platform" : "stream_aligned",
    agents: crew.map((_person, place) => `a${team}_${place}`),
  }));
  const people = teams.flatMap(({ agents }, team) =>
    agents.map((id, place) => [id, { primary_specialization: fields[(team + place) % fields.length], ...crew[place] }]),
  );
  return {
    experiment: { name: "bench", repeat_backlog: true },
    wip_limits: { in_progress: 3, review: 2 },
    coordination: { enabled: true, max_borrows_per_sprint: 4, coordinators: ["se", "el"] },
    disturbances: { enabled: true },
    meta_learning: { enabled: true },
    profile_swapping: { mode: "free" },
    specialists: { enabled: true },
    stakeholder_review: { enabled: true, cadence_sprints: 3, timeout_action: "auto_approve" },
    turnover: { enabled: true, starts_in_sprint: 3, probability: 0.03 },
    models: {
      agents: {
        ...Object.fromEntries(people),
        se: { role_archetype: "staff_engineer" },
        el: { role_archetype: "enablement_lead" },
      },
    },
    teams,
  };
}

function stories() {
  return Array.from({ length: 60 }, (_, index) => ({
    id: `US-${String(index + 1).padStart(3, "0")}`,
    title: `Build part ${index + 1} of the shop`,
    priority: index + 1,
    story_points: [1, 2, 3, 5, 3][index % 5],
    domain: fields[index % 5],
    acceptance_criteria: ["It does what it says."],
    ...(index % 6 === 2 ? { depends_on_team: "platform", dependency_type: "needs_api" } : {}),
  }));
}
