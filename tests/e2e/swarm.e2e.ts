/** A lead and four agents of two teams at work through the packed plugin, across two sessions. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runClaude } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import {
  deedsOf,
  pluginDir,
  readStore,
  resultOf,
  spawnedId,
  teamwright,
  teamwrightJson,
  tool,
  trailOf,
  until,
} from "./support/teamwright.ts";

const twoTeams = `teams:
  - id: alpha
    agents: [ada, abe]
  - id: beta
    agents: [bea, ben]
`;

const plan = [
  { ref: "parser", team: "alpha", title: "Write the parser", acceptance: "ACCEPT-PARSER", scope: ["parser.txt"] },
  { ref: "printer", team: "alpha", title: "Write the printer", acceptance: "ACCEPT-PRINTER", blocked_by: ["parser"] },
  { ref: "manual", team: "alpha", title: "Write the manual", acceptance: "ACCEPT-MANUAL", blocked_by: ["printer"] },
  { ref: "server", team: "beta", title: "Write the server", acceptance: "ACCEPT-SERVER", priority: 1 },
  { ref: "load", team: "beta", title: "Measure the load", acceptance: "ACCEPT-LOAD" },
  { ref: "release", team: "beta", title: "Publish the release", acceptance: "ACCEPT-RELEASE", blocked_by: ["server"] },
];

const arriving = { title: "Answer the audit", acceptance_criteria: "ACCEPT-AUDIT" };

interface Person {
  readonly project: string;
  readonly home: string;
}
/** The seventh task comes from another tool's file, brought in by a person while the agents work. */
async function importSeventh(person: Person, file: string): Promise<void> {
  const issue = { id: "audit-1", ...arriving, status: "open", priority: 2, issue_type: "task" };
  await writeFile(file, `${JSON.stringify(issue)}\n`);
  const ran = await teamwright(person, "task", "import", file, "--team", "alpha");
  if (ran.code !== 0) throw new Error(`The import failed: ${ran.stderr}${ran.stdout}`);
}

describe.each(clientVersions)("the %s client", (version) => {
  test("six tasks on two boards, four agents, one thief, one death, one late task, a second session", async () => {
    await using box = await openSandbox({ "teamwright.yaml": twoTeams });
    await using model = await startModel();
    const { project } = box;
    const store = () => readStore(project);
    const keyOf = (title: string) => store().task(title).key;
    const holderOf = (title: string) => store().task(title).holder;
    const isClosed = (title: string) => store().task(title).status === "closed";
    const ids = new Map<string, string>();

    const lead = model.actor("lead", async (turn) => {
      await turn.must(tool("task_create"), { tasks: plan });
      await turn.must(tool("dependency_declare"), {
        task: keyOf("Publish the release"),
        needs_team: "alpha",
        needed_task: keyOf("Write the parser"),
        note: "The release carries the parser.",
      });
      const spawn = async (name: string, title: string, more: object) => {
        const prompt = `[actor:${name}] Work on ${keyOf(title)}.`;
        const agent = { description: name, name, run_in_background: true, prompt, ...more };
        ids.set(name, spawnedId(await turn.must("Agent", agent)));
      };
      await spawn("ada", "Write the parser", { subagent_type: "teamwright:builder", isolation: "worktree" });
      await spawn("abe", "Write the printer", { subagent_type: "teamwright:tester" });
      await spawn("bea", "Write the server", { subagent_type: "teamwright:builder" });
      await spawn("ben", "Measure the load", { subagent_type: "teamwright:researcher" });
      await until(() => resultOf(ben, "task_claim") !== undefined, "ben holds the load");
      await turn.must("TaskStop", { task_id: ids.get("ben") });
      for (;;) await turn.say("Waiting.");
    });

    const ada = model.actor("ada", async (turn) => {
      const id = keyOf("Write the parser");
      await turn.must(tool("task_claim"), { id });
      await turn.must("Bash", { command: "echo parser > parser.txt", description: "Write the parser" });
      await until(() => abe.calls.filter((call) => call.result?.isError).length >= 4, "abe was refused");
      await turn.must(tool("task_update"), { id, comment: "Written." });
      await turn.must(tool("task_close"), { id, reason: "parser.txt is there" });
      await turn.must("SendMessage", { to: "bea", message: "PARSER-IS-READY", summary: "the parser" });
      await until(() => holderOf("Write the printer") !== null, "abe holds the printer");
      await importSeventh({ project, home: box.home }, join(box.root, "issues.jsonl"));
      const next = await turn.must(tool("task_claim"));
      expect(next.text).toContain(arriving.title);
      await turn.must(tool("task_close"), { id: "audit-1" });
    });

    const abe = model.actor("abe", async (turn) => {
      const id = keyOf("Write the parser");
      await until(() => holderOf("Write the parser") !== null, "ada holds the parser");
      await turn.call(tool("task_claim"), { id });
      await turn.call(tool("task_close"), { id });
      await turn.call(tool("task_update"), { id, release: "I want it" });
      await turn.call(tool("task_update"), { id, release: "I want it", fence: store().task("Write the parser").fence });
      await until(() => isClosed("Write the parser"), "the parser is closed");
      await turn.must(tool("task_claim"), { id: keyOf("Write the printer") });
      // ada may hold it for less than the time between two looks
      await until(() => holderOf(arriving.title) !== null || isClosed(arriving.title), "ada has gone on");
      await turn.say("I stop here.");
      await turn.must(tool("task_close"), { id: keyOf("Write the printer"), reason: "It prints." });
    });

    const bea = model.actor("bea", async (turn) => {
      const id = keyOf("Write the server");
      await turn.must(tool("task_claim"), { id });
      await turn.call(tool("task_claim"), { id: keyOf("Write the parser") });
      await turn.must("Write", { file_path: join(project, "server.txt"), content: "server\n" });
      let heard = "";
      for (let asked = 0; asked < 100 && !heard.includes("PARSER-IS-READY"); asked += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        heard += (await turn.must(tool("board_show"))).heard;
      }
      await turn.must(tool("task_close"), { id });
      await until(
        () =>
          store()
            .eventsOf(keyOf("Measure the load"))
            .some((event) => event.type === "claim.freed"),
        "ben died",
      );
      await turn.must(tool("task_claim"), { id: keyOf("Measure the load") });
      await turn.must(tool("task_close"), { id: keyOf("Measure the load") });
    });

    const ben = model.actor("ben", async (turn) => {
      await turn.must(tool("task_claim"), { id: keyOf("Measure the load") });
      await new Promise(() => undefined);
    });

    const at = { version, cwd: project, home: box.home, pluginDir };
    const first = await runClaude({ ...at, prompt: "[actor:lead] Begin.", model });
    model.check();
    expect(first).toMatchObject({ code: 0, timedOut: false });

    // Everybody is who the client says they are, in every event.
    const then = store();
    for (const actor of [ada, abe, bea, ben]) {
      const { agent_id: id, ...row } = then.agent(actor.name);
      expect(id).toBe(ids.get(actor.name));
      expect(row).toMatchObject({
        session: first.sessionId,
        generation: 1,
        team: actor.name.startsWith("a") ? "alpha" : "beta",
      });
      expect(trailOf(then, `agent:${id}`)).toEqual(deedsOf(actor));
    }
    expect(then.agents.map((row) => row.role)).toEqual(
      expect.arrayContaining(["builder", "tester", "builder", "researcher"]),
    );
    expect(deedsOf(ada)).toHaveLength(5);
    const known = [...ids.values()].map((id) => `agent:${id}`);
    const others = then.events.filter((event) => !known.includes(event.actor)).map((event) => event.actor);
    expect(new Set(others)).toEqual(
      new Set([`lead:${first.sessionId}`, `human:${userInfo().username}`, "service:teamwright"]),
    );

    // The thief was refused each time, with a reason.
    const refused = abe.calls.filter((call) => call.result?.isError).map((call) => call.result?.text ?? "");
    expect(refused).toEqual([
      expect.stringMatching(/^CONFLICT.*held by ada/),
      expect.stringMatching(/^FORBIDDEN.*held by ada/),
      expect.stringMatching(/^FORBIDDEN.*held by ada/),
      expect.stringMatching(/^FORBIDDEN.*held by ada/),
    ]);
    expect(resultOf(bea, "task_claim", 1)).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^FORBIDDEN.*team alpha/),
    });
    const parser = then
      .eventsOf(then.task("Write the parser").key)
      .filter((event) => event.actor !== `lead:${first.sessionId}`);
    expect(new Set(parser.map((event) => event.actor))).toEqual(new Set([`agent:${ids.get("ada")}`]));

    // The brief reached the agents; the one that stopped too early was sent back once.
    expect(ada.shown).toContain("ACCEPT-PARSER");
    expect(ben.shown).toContain("ACCEPT-LOAD");
    expect(bea.shown).toContain("Teamwright knows you as bea of team beta (builder)");
    expect(bea.shown).toContain("PARSER-IS-READY");
    expect(JSON.stringify(abe.requests.at(-1)?.messages).match(/Stop hook feedback:/g)).toHaveLength(1);
    expect(lead.shown).not.toContain("hook success");

    // The dead agent's task went to another, under a new fencing number.
    const load = then.eventsOf(then.task("Measure the load").key);
    expect(load.filter((event) => /claim/.test(event.type)).map((event) => [event.type, event.actor])).toEqual([
      ["task.claimed", `agent:${ids.get("ben")}`],
      ["claim.freed", "service:teamwright"],
      ["task.claimed", `agent:${ids.get("bea")}`],
    ]);
    expect(then.task("Measure the load")).toMatchObject({ status: "closed", fence: 2 });
    expect(then.agent("ben")).toMatchObject({ end_reason: "killed" });

    // The worktree's agent wrote there, and into the one store.
    const worktree = join(project, `.claude/worktrees/agent-${ids.get("ada")}`);
    expect(existsSync(join(worktree, "parser.txt"))).toBe(true);
    expect(existsSync(join(worktree, ".teamwright"))).toBe(false);

    const open = then.tasks.filter((task) => task.status !== "closed").map((task) => task.title);
    expect(open).toEqual(["Write the manual", "Publish the release"]);
    expect(then.tasks.filter((task) => task.holder !== null && task.status !== "closed")).toEqual([]);

    // A new session knows nothing but the store.
    const heir = model.actor("heir", async (turn) => {
      const brief = await turn.must(tool("brief_show"));
      expect(brief.text).toContain("Write the manual");
      const id = keyOf("Write the manual");
      await turn.must("Agent", {
        description: "abe",
        name: "abe",
        subagent_type: "teamwright:builder",
        run_in_background: false,
        prompt: `[actor:abe2] Work on ${id}.`,
      });
      await turn.must(tool("task_claim"), { id: keyOf("Publish the release") });
      await turn.must(tool("task_close"), { id: keyOf("Publish the release") });
      return "all closed";
    });
    const abe2 = model.actor("abe2", async (turn) => {
      await turn.must(tool("task_claim"));
      await turn.must(tool("task_close"), { id: keyOf("Write the manual") });
    });
    const second = await runClaude({ ...at, prompt: "[actor:heir] Go on.", model });
    model.check();
    expect(second).toMatchObject({ code: 0, text: "all closed" });
    expect(heir.shown).toContain("Teamwright holds 2 unfinished tasks");
    expect(abe2.shown).toContain("ACCEPT-MANUAL");

    const last = store();
    expect(last.tasks.map((task) => task.status)).toEqual(Array(7).fill("closed"));
    expect(last.agents.filter((row) => row.name === "abe").map((row) => row.generation)).toEqual([1, 2]);
    expect(trailOf(last, `lead:${second.sessionId}`)).toEqual(deedsOf(heir));
    expect(await teamwrightJson({ project, home: box.home }, "doctor", "check")).toMatchObject({ ok: true });
  });
});
