/** An experiment whose teams are real sessions: a loan, a hung session, a check-in, a stop in the middle. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import type { Turn } from "./support/actor.ts";
import { runClaude } from "./support/client.ts";
import { cleanEnvironment, clientBinary, openSandbox, type Sandbox } from "./support/sandbox.ts";
import { type ScriptedModel, startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, storeFile, teamwright, tool, until } from "./support/teamwright.ts";

/** Whose session it is, the model knows by what its prompt alone says: of whom the team is made. */
const config = (binary: string, seconds: number) => `models:
  agents:
    abe: { role_archetype: developer, model: "[actor:alpha]" }
    bea: { role_archetype: developer }
    bob: { role_archetype: developer, model: "[actor:beta]" }
    ben: { role_archetype: tester }
    eve: { role_archetype: enablement_lead }
    sam: { role_archetype: staff_engineer }
teams:
  - { id: alpha, agents: [abe] }
  - { id: beta, agents: [bea, bob, ben] }
coordination: { enabled: true, full_loop_cadence: 2, coordinators: [eve, sam] }
portfolio: { stories_per_team: 1 }
turnover: { enabled: true }
experiment:
  name: real
  claude:
    binary: ${JSON.stringify(binary)}
    time_box_seconds: ${seconds}
    instructions: "Settled rounds are short. [actor:rounds]"
`;

const backlog = `stories:
${["Sign in", "Send mail", "Sign out", "Read mail", "Forget a password", "Sort mail"]
  .map((title, index) => `  - { id: S${index + 1}, title: ${title}, story_points: ${index + 1} }`)
  .join("\n")}
`;

interface SprintLine {
  readonly velocity: number;
  readonly session: { readonly state: string };
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

function start(at: { readonly root: string; readonly home: string }, modelUrl: string, ...args: string[]): Started {
  const env = { ...cleanEnvironment(at.home, modelUrl), NO_COLOR: "1" };
  const child = spawn("node", [join(pluginDir, "bin/teamwright"), "experiment", "run", ...args], { cwd: at.root, env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  return { child, ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr }))) };
}

/**
 * A session that hangs costs the whole box of time, and one that works needs its share of it even while other tests start
 * their processes: so the box is what a short session takes on this machine now, many times over.
 */
async function timeBox(box: Sandbox, model: ScriptedModel): Promise<number> {
  model.actor("warm", async (turn) => void (await turn.must(tool("board_show"))));
  const begun = performance.now();
  const at = { version: "newest", cwd: box.project, home: box.home } as const;
  await runClaude({ ...at, prompt: "[actor:warm] Look around.", model, pluginDir });
  return Math.ceil(Math.min(60, Math.max(20, ((performance.now() - begun) / 1000) * 8)));
}

/** People start the client by programs of their own, too. */
async function wrapped(box: Sandbox): Promise<string> {
  const path = join(box.root, "my claude.sh");
  await writeFile(path, `#!/bin/sh\n"${clientBinary("newest")}" "$@"\n`, { mode: 0o755 });
  return path;
}

test("teams of real sessions earn their points, lend, hang, are stopped and go on (CO-02, CO-04, CO-12, EX-01, OH-04, OU-01, OU-02, OU-03)", async () => {
  await using box = await openSandbox({ "backlog.yaml": backlog });
  await using model = await startModel();
  const seconds = await timeBox(box, model);
  await writeFile(join(box.project, "config.yaml"), config(await wrapped(box), seconds));
  const out = join(box.root, "out");
  const project = join(out, "project");
  const held = () => readStore(project).tasks.filter(({ holder }) => holder !== null);
  const never = () => new Promise<never>(() => {});

  const workAs = async (turn: Turn, name: string) => {
    const agent = { subagent_type: "teamwright:builder", model: "sonnet", run_in_background: false };
    await turn.must("Agent", { ...agent, name, description: name, prompt: `[actor:${name}] Do your next card.` });
  };
  const closeNext = async (turn: Turn, team?: string) => {
    const { text } = await turn.must(tool("task_claim"), team === undefined ? {} : { team });
    await turn.must(tool("task_close"), { id: /"id":"([^"]+)"/.exec(text)?.[1] ?? "", reason: "done" });
  };
  const alpha = model.actor("alpha", async (turn) => {
    if (turn.run === 0) {
      const refused = await turn.callAll([
        { tool: tool("sprint_start") },
        { tool: tool("task_claim"), input: { team: "beta" } },
      ]);
      expect(refused.map(({ isError }) => isError)).toEqual([true, true]);
    }
    if (turn.run === 2) {
      await turn.must(tool("task_claim"), { team: "alpha" });
      return never();
    }
    await workAs(turn, turn.run === 1 ? "bea" : "abe");
    return "All is closed.\n\n- **KEEP:** small cards\nDROP: long meetings";
  });
  model.actor("abe", (turn) => closeNext(turn));
  model.actor("bea", (turn) => closeNext(turn));
  model.actor("beta", async (turn) => {
    if (turn.run === 0) await closeNext(turn, "beta");
    if (turn.run !== 1) return "Over.";
    await turn.must(tool("task_claim"), { team: "beta" });
    return never();
  });
  model.actor("rounds", async (turn) => {
    const kind = { kind: ["orientation", "full", "checkin"][turn.run] };
    for (let step = 0; step < 3; step += 1) {
      const { text } = await turn.must(tool("coordination_begin"), kind);
      const [, prompt] = /"prompt":"([^"]+)"/.exec(text) ?? [];
      if (prompt === undefined) break;
      const type = /"subagent_type":"([^"]+)"/.exec(text)?.[1];
      await turn.must("Agent", { subagent_type: type, description: "Coordinate", prompt, run_in_background: false });
    }
    return "The round is over.";
  });
  const evaluator = model.actor(
    "evaluator",
    async (turn) =>
      ["RECOMMEND: start with the mail", "alpha is short of hands.", "RECOMMEND: beta asks for help"][turn.run],
    "You look at all teams at once and belong to none.",
  );
  model.actor(
    "planner",
    async () => "BORROW: bea from beta to alpha because alpha is short of hands",
    "You remove what is in teams' way.",
  );

  const first = start(
    box,
    model.url,
    "--config",
    "project/config.yaml",
    "--backlog",
    "project/backlog.yaml",
    "--sprints",
    "3",
    "--agents",
    "claude",
    "--output",
    "out",
  );
  await until(() => alpha.conversations.length === 3 && held().length === 1, "a card is held in sprint 3", 200_000);
  first.child.kill("SIGINT");
  const stopped = await first.ended;
  expect(stopped.stdout).toContain("Stopped; 1 sprints are left: --continue 1 goes on.");
  expect(stopped.code).toBe(1);
  expect(held()).toEqual([]);
  expect(stopped.stderr).toMatch(/left out here: .*turnover/);
  expect(stopped.stderr).toMatch(/sprint 1, alpha: ended by itself after \d+ s/);
  expect(stopped.stderr).toMatch(/sprint 2, beta: was ended when its time was over after \d+ s/);
  expect(stopped.stderr).toMatch(/sprint 3, alpha: was ended with the run/);

  const second = await start(box, model.url, "--continue", "1", "--output", "out").ended;
  expect(second.code, second.stderr).toBe(0);
  expect(second.stdout).toContain("[alpha] velocity=5pts done=1");
  model.check();

  const json = (path: string) => JSON.parse(readFileSync(join(out, path), "utf8"));
  for (const team of ["alpha", "beta"])
    for (const n of ["01", "02", "03"])
      for (const file of ["kanban.json", "pairing_log.json", "retro.md"])
        expect(existsSync(join(out, team, `sprint-${n}`, file)), `${team} ${n} ${file}`).toBe(true);
  const report = json("final_report.json");
  const sessions = (team: string) =>
    report.teams[team].sprints.map((one: SprintLine) => [one.session.state, one.velocity]);
  const states = { alpha: sessions("alpha"), beta: sessions("beta") };
  const told = `${stopped.stderr}${second.stderr}`.replaceAll("\n", " | ");
  expect(states, `a box of ${seconds} s: ${told}`).toEqual({
    alpha: [
      ["ended", 1],
      ["ended", 3],
      ["ended", 5],
    ],
    beta: [
      ["ended", 2],
      ["timed_out", 0],
      ["ended", 0],
    ],
  });
  expect(report).toMatchObject({
    experiment: "real",
    mode: "multi_team",
    agents: "claude",
    portfolio: { total_sprints: 3, total_velocity: 11, total_features: 4, num_teams: 2 },
    borrows: [{ agent: "bea", from: "beta", to: "alpha", sprint: 2, due: 2, returned: 2 }],
    coordination: { enabled: true, rounds: 1 },
  });
  expect(report.teams.beta.sprints[1]).toMatchObject({
    wip: 0,
    borrowed_out: ["bea"],
  });
  expect(report.teams.alpha.sprints[1]).toMatchObject({ borrowed_in: ["bea"], test_coverage: null });
  expect(report.teams.alpha.sprints[1]).not.toHaveProperty("pairing_sessions");
  expect(report.coordination.outcomes[1]).toMatchObject({ sprint: 2, checkin: ["beta asks for help"] });
  expect(evaluator.conversations).toHaveLength(3);
  expect(alpha.conversations[0]?.opening).toContain("start with the mail");
  expect(json("alpha/sprint-02/kanban.json").columns.done).toMatchObject([{ title: "Sign out", done_by: "bea" }]);
  expect(json("beta/sprint-02/kanban.json").columns.ready).toMatchObject([{ title: "Read mail" }]);
  expect(readFileSync(join(out, "alpha/sprint-01/retro.md"), "utf8")).toContain("- lead: small cards");

  // the store says the same: claims came back, everybody is home
  const { events, agent } = readStore(project);
  const freed = events.filter(({ type }) => type === "claim.freed").map(({ team }) => team);
  expect(freed).toEqual(["beta", "alpha"]);
  expect(agent("bea").team).toBe("beta");
  const db = new Database(storeFile(project), { readonly: true });
  expect(db.prepare("select n, phase from sprint order by n").all()).toEqual(
    [1, 2, 3].map((n) => ({ n, phase: "ended" })),
  );
  db.close();

  const compared = await teamwright({ ...box, project: box.root }, "experiment", "compare", "out");
  expect(compared.code, compared.stderr).toBe(0);
}, 300_000);
