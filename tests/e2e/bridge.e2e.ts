/** The client's own task list and the durable tasks: made and completed both ways, and put right after a kill. */
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { Script, Turn } from "./support/actor.ts";
import { runClaude } from "./support/client.ts";
import { builderReport } from "./support/report.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, storeFile, teamwrightJson, tool, until } from "./support/teamwright.ts";

/** Current models have the list only with this; both clients under test have its tools then. */
const env = { CLAUDE_CODE_ENABLE_TODO_TOOLS: "1" };

const config = `bridge: on
teams:
  - { id: main, agents: [ada] }
gates:
  - { name: tests, command: [sh, -c, "test ! -e broken"] }
`;

const report = builderReport();

interface Pair {
  readonly client: string;
  readonly there: string;
  readonly task?: string;
  readonly here?: string;
  readonly origin?: string;
  readonly difference?: string;
}
interface At {
  readonly project: string;
  readonly home: string;
}
async function bridgeOf(at: At) {
  // The command line prints what the operation answered.
  return (await teamwrightJson(at, "bridge", "list")) as unknown as { pairs: readonly Pair[]; differing: number };
}

function query<T>(project: string, sql: string): T[] {
  const db = new Database(storeFile(project), { readonly: true });
  try {
    return db.prepare(sql).all() as T[];
  } finally {
    db.close();
  }
}
const stateOf = (project: string, clientId: string) =>
  query<{ state: string; client_id: string }>(project, "select client_id, state from client_task").find(
    (row) => row.client_id === clientId,
  )?.state;
const phase = (project: string) => query<{ phase: string }>(project, "select phase from unit")[0]?.phase;

/** A fresh reviewer's word on the unit, and the commit. */
async function reviewAndCommit(turn: Turn, project: string, unit: string) {
  await turn.must(tool("unit_validate"), { unit });
  const opened = await turn.must(tool("review_open"), { unit });
  await turn.must("Agent", {
    description: "Review",
    subagent_type: "teamwright:adversarial-reviewer",
    run_in_background: false,
    prompt: /\brv-\w+/.exec(opened.text)?.[0],
  });
  await until(() => phase(project) === "commit", "the reviewer has passed it");
  await turn.must(tool("unit_commit"), { unit });
}

describe.each(clientVersions)("the %s client", (version) => {
  test("tasks are made both ways, completed not over open gates, and afterwards (BD-02, BD-03)", async () => {
    await using box = await openSandbox({ "teamwright.yaml": config, "src/a.txt": "one\n" });
    await using model = await startModel();
    const { project, home } = box;
    let unit = "";
    const said: Record<string, string> = {};
    const lead = model.actor("lead", async (turn) => {
      await turn.must(tool("task_create"), {
        title: "Write the second line",
        description: "The file gets the line two. [actor:rex]",
        acceptance: "- a.txt has a second line",
        scope: ["src"],
      });
      unit = readStore(project).task("Write the second line").key;
      await turn.must(tool("unit_plan"), { tasks: [unit], about: "123", tools: ["Agent"] });
      await turn.must(tool("unit_start"), { unit });
      const metadata = { beads_id: unit };
      await turn.must("TaskCreate", { subject: "WU-001: second line", description: "It.", metadata });
      await turn.must("TaskCreate", { subject: "Sweep the floor", description: "All of it." });
      await turn.must("TaskUpdate", { taskId: "1", status: "in_progress" });
      said.early = (await turn.call("TaskUpdate", { taskId: "1", status: "completed" })).text;
      // a task of before the bridge: nothing is known of it, and the client's own event is what is refused
      await turn.must("TaskCreate", { subject: `Again ${unit}`, description: "It." });
      const db = new Database(storeFile(project));
      db.prepare("delete from client_task where client_id = '3'").run();
      db.close();
      said.event = (await turn.call("TaskUpdate", { taskId: "3", status: "completed" })).text;
      said.list = (await turn.must("TaskList", {})).text;
      await turn.must("TaskUpdate", { taskId: "3", status: "deleted" });
      await turn.must("Agent", {
        description: "Build",
        subagent_type: "teamwright:builder",
        model: "sonnet",
        run_in_background: false,
        prompt: `[actor:ada] Do ${unit}.`,
      });
      await until(() => phase(project) === "validate", "the work is handed in");
      await reviewAndCommit(turn, project, unit);
      await turn.must("TaskUpdate", { taskId: "1", status: "completed" });
      await turn.must("TaskUpdate", { taskId: "2", status: "completed" });
      said.over = (await turn.must("TaskList", {})).text;
      await turn.must(tool("unit_end"));
      return "over";
    });
    model.actor("ada", async (turn) => {
      said.others = (await turn.call("TaskUpdate", { taskId: "2", status: "completed" })).text;
      await turn.must(tool("task_claim"), { id: unit });
      appendFileSync(join(project, "src/a.txt"), "two\n");
      await turn.must(tool("unit_submit"), { unit });
      return report;
    });
    model.actor("rex", async (turn) => {
      await turn.must("Read", { file_path: join(project, "src/a.txt") });
      return "VERDICT: PASS\nITEM 1: PASS | src/a.txt:2 | none | it is there";
    });
    const at = { version, cwd: project, home, pluginDir, env };
    expect(await runClaude({ ...at, prompt: "[actor:lead] Begin.", model })).toMatchObject({ code: 0 });
    model.check();

    const shown = JSON.stringify(lead.requests.at(-1)?.messages);
    expect(shown).toContain(`Client task #1 stands for ${unit}`);
    const swept = readStore(project).task("Sweep the floor");
    expect(shown).toContain(`Client task #2 is kept as ${swept.key}`);
    expect(said.early).toMatch(/is the work of unit wu-\S+ in phase implement/);
    expect(said.event).toMatch(/is the work of unit wu-\S+ in phase implement/);
    expect(said.others).toContain("You do not hold");
    expect(said.list).toContain("#1 [in_progress]");
    expect(said.list).not.toContain("[completed]");
    expect(shown).toContain(`client task #1 (${unit}) can be completed`);
    expect(shown).toContain(`${swept.key} is closed as done`);
    expect(said.over).toMatch(/#1 \[completed\][\s\S]*#2 \[completed\]/);
    expect(swept).toMatchObject({ status: "closed", outcome: "done" });
    const closing = readStore(project)
      .eventsOf(swept.key)
      .find((event) => event.type === "task.closed");
    expect(closing).toMatchObject({ operation: "bridge_complete", actor_name: "lead" });
    const bridge = await bridgeOf({ project, home });
    expect(bridge.differing).toBe(0);
    expect(bridge.pairs.map(({ client, there, here, origin }) => [client, there, here, origin])).toEqual([
      ["3", "deleted", "closed", "linked"],
      ["2", "completed", "closed", "created"],
      ["1", "completed", "closed", "linked"],
    ]);
    expect(readStore(project).tasks).toHaveLength(2);
  });

  test("killed between the steps, nothing is lost and nothing is there twice (BD-07)", async () => {
    /** Holds the client in the middle of an event for as long as a file is there, so that it can be killed there. */
    const hold = (event: string) => ({
      [event]: [
        { hooks: [{ type: "command", command: `while test -e hold-${event}; do sleep 0.1; done`, timeout: 60 }] },
      ],
    });
    await using box = await openSandbox({
      "teamwright.yaml": config,
      ".claude/settings.json": JSON.stringify({ hooks: { ...hold("TaskCreated"), ...hold("TaskCompleted") } }),
    });
    const { project, home } = box;
    const at = { version, cwd: project, home, env, prompt: "[actor:lead] Begin." };
    const session = "11111111-2222-4333-8444-555555555555";
    const resume = ["--resume", session];
    /** A session that is killed while the client waits within an event. */
    const killedIn = async (event: string, isThere: () => boolean, args: readonly string[], script: Script) => {
      await using model = await startModel();
      model.actor("lead", script);
      writeFileSync(join(project, `hold-${event}`), "");
      let pid = 0;
      const onStart = (started: number) => {
        pid = started;
      };
      const running = runClaude({ ...at, pluginDir, model, args, onStart });
      await until(isThere, `the client is held in ${event}`);
      process.kill(-pid, "SIGKILL");
      expect((await running).signal).toBe("SIGKILL");
      rmSync(join(project, `hold-${event}`));
    };
    /** The session goes on, with a model of its own: the history it is shown is that of the killed one. */
    const resumed = async (script: Script, plugin: { pluginDir?: string } = { pluginDir }) => {
      await using model = await startModel();
      model.actor("lead", script);
      expect(await runClaude({ ...at, ...plugin, model, args: resume })).toMatchObject({ code: 0 });
      model.check();
    };
    const bridge = () => bridgeOf({ project, home });
    const theTask = () => readStore(project).task("Write the parser");
    const named = () => ({ subject: "Parser", description: "It.", metadata: { teamwright_id: theTask().key } });

    const creating = () => stateOf(project, "1") === "creating";
    await killedIn("TaskCreated", creating, ["--session-id", session], async (turn) => {
      await turn.must(tool("task_create"), { title: "Write the parser" });
      await turn.must(tool("task_claim"), { id: theTask().key });
      await turn.must("TaskCreate", named());
    });
    expect((await bridge()).pairs).toMatchObject([{ client: "1", difference: "unlinked" }]);

    let listed = "";
    await resumed(async (turn) => {
      listed = (await turn.must("TaskList", {})).text;
    });
    expect(listed).toBe("#1 [pending] Parser");
    const { key } = theTask();
    expect((await bridge()).pairs).toMatchObject([{ client: "1", there: "pending", task: key, origin: "linked" }]);
    expect(readStore(project).tasks).toHaveLength(1);

    await killedIn(
      "TaskCompleted",
      () => stateOf(project, "1") === "completing",
      resume,
      async (turn) => {
        await turn.must(tool("task_claim"), { id: key });
        await turn.must("TaskUpdate", { taskId: "1", status: "completed" });
      },
    );
    expect(theTask().status).not.toBe("closed");
    expect((await bridge()).pairs).toMatchObject([{ task: key, difference: "unconfirmed" }]);

    // and completed where no server of ours hears of it
    const unheard = (turn: Turn) => turn.must("TaskUpdate", { taskId: "1", status: "completed" });
    await resumed(async (turn) => void (await unheard(turn)), {});
    let brief = "";
    await resumed(async (turn) => {
      listed = (await turn.must("TaskList", {})).text;
      brief = (await turn.must(tool("brief_show"))).text;
      await turn.must(tool("task_close"), { id: key });
    });
    expect(listed).toBe("#1 [completed] Parser");
    expect(brief).toMatch(/"client":"1".*"difference":"open_here"/);
    expect(theTask()).toMatchObject({ status: "closed", outcome: "done" });
    expect((await bridge()).differing).toBe(0);
    expect(readStore(project).tasks).toHaveLength(1);
  });
});
