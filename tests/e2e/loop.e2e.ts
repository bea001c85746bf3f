/** A unit goes through FAIL, fix, a fresh PASS and a reviewed commit, in each way the client can run agents. */
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Actor, Turn } from "./support/actor.ts";
import { runClaude } from "./support/client.ts";
import { builderReport } from "./support/report.ts";
import { type ClientVersion, clientVersions, openSandbox, type Sandbox } from "./support/sandbox.ts";
import { type ScriptedModel, startModel } from "./support/scripted-model.ts";
import { connected, pluginDir, readStore, tool, until } from "./support/teamwright.ts";
import { startInteractive } from "./support/terminal.ts";
import { config, FAIL, files, git, PASS, phase, plan, rows } from "./support/unit.ts";

async function reviewed(turn: Turn, project: string, key: string): Promise<void> {
  await turn.must(tool("unit_validate"), { unit: key });
  const opened = await turn.must(tool("review_open"), { unit: key });
  const before =
    rows<{ n: number }>(project, "select count(*) as n from review where answered_at is not null")[0]?.n ?? 0;
  await turn.must("Agent", {
    description: "Review",
    subagent_type: "teamwright:adversarial-reviewer",
    run_in_background: false,
    prompt: `${/\brv-\w+/.exec(opened.text)?.[0]} You found FIRST-ROUND-FINDING last time, please look whether it is mended.`,
  });
  await until(
    () =>
      (rows<{ n: number }>(project, "select count(*) as n from review where answered_at is not null")[0]?.n ?? 0) >
      before,
    "the reviewer has answered",
  );
}

type Mode = "task" | "named" | "teammate";

/** The same unit in each way the client can run agents. */
async function runUnit(mode: Mode, version: ClientVersion, box: Sandbox, model: ScriptedModel) {
  const { project, home } = box;
  let ready = false;
  let handedIn = 0;
  const spawnBuilder = async (turn: Turn, key: string, words: string) => {
    const prompt = `[actor:ada] ${words} ${key}.`;
    const agent = { subagent_type: "teamwright:builder", model: "sonnet", description: "Build", prompt };
    const before = handedIn;
    await turn.must(
      "Agent",
      mode === "task" ? { ...agent, run_in_background: false } : { ...agent, name: "ada", run_in_background: true },
    );
    await until(() => handedIn > before && phase(project) === "validate", "the work is handed in");
  };
  const lead = model.actor("lead", async (turn) => {
    const key = await plan(turn, project);
    await spawnBuilder(turn, key, "Do");
    await reviewed(turn, project, key);
    expect(phase(project)).toBe("implement");
    await spawnBuilder(turn, key, "Mend");
    await reviewed(turn, project, key);
    expect(phase(project)).toBe("commit");
    await turn.must(tool("unit_commit"), { unit: key });
    await turn.must(tool("unit_end"));
    ready = true;
    if (mode !== "task") for (;;) await turn.say("Waiting.");
    return "over";
  });
  model.actor("ada", async (turn) => {
    const { key } = readStore(project).task("Write the second line");
    await turn.must(tool("task_claim"), { id: key });
    appendFileSync(join(project, "src/a.txt"), handedIn === 0 ? "tow\n" : "");
    if (handedIn > 0) execFileSync("sed", ["-i", "s/tow/two/", join(project, "src/a.txt")]);
    await turn.must(tool("unit_submit"), { unit: key });
    handedIn += 1;
    return builderReport();
  });
  let round = 0;
  const reviewer = model.actor("rex", async (turn) => {
    await turn.must("Read", { file_path: join(project, "src/a.txt") });
    round += 1;
    return round === 1 ? FAIL : PASS;
  });
  const at = { version, cwd: project, home, pluginDir };
  if (mode === "teammate") {
    await using terminal = await startInteractive({ ...at, model });
    await connected(home);
    await terminal.prompt("[actor:lead] Begin.");
    await until(() => ready, "the unit is committed", 120_000);
    await terminal.exit();
  } else expect(await runClaude({ ...at, prompt: "[actor:lead] Begin.", model })).toMatchObject({ code: 0 });
  model.check();
  return { lead, reviewer };
}

/** What must be so in each mode (requirements FP-15, MD-02, MD-03): the records differ in the mode's name alone. */
function expectLoop(project: string, reviewer: Actor, mode: Mode): void {
  expect(rows(project, "select mode, status from run")).toEqual([
    { mode: mode === "task" ? "task" : "team", status: "ended" },
  ]);
  const reviews = rows<{ verdict: string; agent_id: string; status: string }>(
    project,
    "select * from review order by id",
  );
  expect(reviews.map((row) => [row.status, row.verdict])).toEqual([
    ["answered", "FAIL"],
    ["answered", "PASS"],
  ]);
  expect(new Set(reviews.map((row) => row.agent_id)).size).toBe(2);
  expect(reviewer.conversations).toHaveLength(2);
  const second = JSON.stringify(reviewer.conversations[1]?.requests);
  expect(second).not.toContain("FIRST-ROUND-FINDING");
  expect(second).not.toContain("tow\\n");
  const { events } = readStore(project);
  expect(events.filter((event) => event.type.startsWith("unit.")).map((event) => event.type)).toEqual([
    "unit.planned",
    "unit.start",
    "unit.submit",
    "unit.pass",
    "unit.reject",
    "unit.submit",
    "unit.pass",
    "unit.approve",
    "unit.commit",
    "unit.committed",
  ]);
  expect(readStore(project).task("Write the second line")).toMatchObject({ status: "closed" });
  expect(git(project, "log", "-1", "--format=%B")).toContain("Reviewed-by: adversarial-review (PASS)");
  expect(git(project, "show", "--name-only", "--format=", "HEAD").trim()).toBe("src/a.txt");
}

/** One task alone would be done in task mode, whatever the client offers. */
const filesIn = (mode: Mode) =>
  mode === "task" ? files : { ...files, "teamwright.yaml": `${config}units: { mode: team }\n` };

describe.each(clientVersions)("the %s client", (version) => {
  test.each(["task", "named"] as const)("a unit through FAIL, fix, fresh PASS and commit: %s agents", async (mode) => {
    await using box = await openSandbox(filesIn(mode));
    await using model = await startModel();
    const { reviewer } = await runUnit(mode, version, box, model);
    expectLoop(box.project, reviewer, mode);
  });
});

test("the same unit with interactive teammates", async () => {
  await using box = await openSandbox(filesIn("teammate"));
  await using model = await startModel();
  const { reviewer } = await runUnit("teammate", "newest", box, model);
  expectLoop(box.project, reviewer, "teammate");
});
