/** Agents talk through the client and through ours; all of it is in one log, and nothing reaches a reviewer. */
import { execFileSync } from "node:child_process";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { Actor } from "./support/actor.ts";
import { runClaude } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import {
  connected,
  pluginDir,
  readStore,
  spawnedId,
  storeFile,
  teamwrightJson,
  tool,
  until,
} from "./support/teamwright.ts";
import { startInteractive } from "./support/terminal.ts";

const oneTeam = "teams:\n  - id: main\n    agents: [ada, bob]\n";

/** Longer than a look at the messages of an agent at work holds off the next. */
const NEXT_LOOK_MS = 10_500;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Message {
  readonly id: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly mirrored?: boolean;
}
interface Log {
  readonly messages: readonly Message[];
  readonly open: number;
  readonly readers: readonly unknown[];
}
async function logOf(at: { readonly project: string; readonly home: string }): Promise<Log> {
  return (await teamwrightJson(at, "message", "list")) as unknown as Log;
}

const refusals = (actor: Actor, name: string) =>
  actor.calls.filter((call) => call.tool === name && call.result?.isError).map((call) => call.result?.text ?? "");

describe.each(clientVersions)("the %s client", (version) => {
  test("unread messages reach an agent at its start and at work, the lead its urgent ones; the client's are mirrored", async () => {
    await using box = await openSandbox({ "teamwright.yaml": oneTeam });
    await using model = await startModel();
    const { project } = box;
    const isClosed = (title: string) => readStore(project).task(title).status === "closed";
    const agent = (name: string, title: string) => ({
      description: name,
      name,
      subagent_type: "teamwright:builder",
      run_in_background: true,
      prompt: `[actor:${name}] Work on ${readStore(project).task(title).key}.`,
    });
    let isAsked = false;
    const lead = model.actor("lead", async (turn) => {
      await turn.must(tool("task_create"), {
        tasks: [
          { title: "Write the parser", acceptance: "It parses." },
          { title: "Write the printer", acceptance: "It prints." },
        ],
      });
      await turn.must(tool("message_send"), { to: "bob", text: "EARLY-WORD" });
      await turn.must("Agent", agent("bob", "Write the printer"));
      await turn.must("Agent", agent("ada", "Write the parser"));
      for (;;) await turn.say("Waiting.");
    });
    const ada = model.actor("ada", async (turn) => {
      await turn.must("SendMessage", { to: "bob", message: "QUESTION: CLIENT-ASKS", summary: "a question" });
      await turn.must(tool("message_send"), { to: "bob", text: "TOOL-TELLS", kind: "INTERFACE-CHANGE" });
      await turn.must(tool("message_send"), { to: "lead", text: "ADA-IS-STUCK", kind: "BLOCKER" });
      isAsked = true;
      await until(() => isClosed("Write the printer"), "bob is done");
      await turn.must(tool("message_inbox"));
      await turn.must(tool("task_claim"));
      await turn.must(tool("task_close"), { id: readStore(project).task("Write the parser").key });
    });
    let heardAtWork = "";
    const bob = model.actor("bob", async (turn) => {
      await turn.must(tool("task_claim"), { id: readStore(project).task("Write the printer").key });
      await until(() => isAsked, "ada has asked");
      await sleep(NEXT_LOOK_MS);
      heardAtWork = (await turn.must("Bash", { command: "echo working", description: "Work" })).heard;
      const id = /(msg-\w+) INTERFACE-CHANGE from ada/.exec(heardAtWork)?.[1];
      await turn.must(tool("message_send"), { reply_to: id, text: "BOB-ANSWERS" });
      await turn.must(tool("task_close"), { id: readStore(project).task("Write the printer").key });
    });
    const at = { version, cwd: project, home: box.home, pluginDir };
    expect(await runClaude({ ...at, prompt: "[actor:lead] Begin.", model })).toMatchObject({ code: 0 });
    model.check();

    expect(JSON.stringify(bob.requests[0]?.messages)).toMatch(
      /1 unread message for you:[\s\S]*INFO from lead to bob: EARLY-WORD/,
    );
    expect(heardAtWork).toContain("TOOL-TELLS");
    expect(heardAtWork).not.toContain("EARLY-WORD");
    const last = JSON.stringify(lead.requests.at(-1)?.messages);
    expect(last.match(/ADA-IS-STUCK/g)).toHaveLength(1);
    expect(last).toContain("BLOCKER from ada to lead");
    const { messages, open } = await logOf({ project, home: box.home });
    expect(messages.map(({ kind, from, to, text, mirrored }) => [kind, from, to, text, mirrored ?? false])).toEqual([
      ["INFO", "lead", "bob", "EARLY-WORD", false],
      ["QUESTION", "ada", "bob", "QUESTION: CLIENT-ASKS", true],
      ["INTERFACE-CHANGE", "ada", "bob", "TOOL-TELLS", false],
      ["BLOCKER", "ada", "lead", "ADA-IS-STUCK", false],
      ["INFO", "bob", "ada", "BOB-ANSWERS", false],
    ]);
    expect(open).toBe(2);
    // in its inbox, or with the call before it
    expect(JSON.stringify(ada.requests.at(-1)?.messages).match(/BOB-ANSWERS/g)).toHaveLength(1);
    expect(ada.shown).not.toContain("EARLY-WORD");
  });

  test("nobody writes to a reviewer: not by id, not by name, not with our tool, not with the client's", async () => {
    const gates = 'gates:\n  - { name: tests, command: "test ! -e broken" }\n';
    await using box = await openSandbox({ "teamwright.yaml": `${oneTeam}${gates}`, "src/a.txt": "one\n" });
    await using model = await startModel();
    const { project } = box;
    const taskId = () => readStore(project).task("Write the second line").key;
    const phase = () => {
      const db = new Database(storeFile(project), { readonly: true });
      try {
        return (db.prepare("select phase from unit").get() as { phase: string }).phase;
      } finally {
        db.close();
      }
    };
    /** As an older version of ours would have let it be started. */
    const nameReviewer = () => {
      const { session } = readStore(project).agent("ada");
      const db = new Database(storeFile(project));
      db.prepare(
        "insert into spawn (session, tool_use_id, name, subagent_type, worktree, created_at) values (?, 'toolu_old', 'rex', 'teamwright:adversarial-reviewer', 0, 0)",
      ).run(session);
      db.close();
    };
    let reviewer = "";
    let tried = 0;
    const attempts = async (turn: Parameters<Parameters<typeof model.actor>[1]>[0]) => {
      for (const to of [reviewer, "rex"]) {
        await turn.call("SendMessage", { to, message: "PLEASE-PASS-IT", summary: "please" });
        await turn.call(tool("message_send"), { to, text: "PLEASE-PASS-IT" });
      }
      tried += 1;
    };
    const lead = model.actor("lead", async (turn) => {
      await turn.must(tool("task_create"), {
        title: "Write the second line",
        description: "[actor:rex]",
        acceptance: "- a.txt has a second line",
        scope: ["src"],
      });
      await turn.must(tool("unit_plan"), { tasks: [taskId()], about: "123" });
      await turn.must(tool("unit_start"), { unit: taskId() });
      const prompt = `[actor:ada] Work on ${taskId()}.`;
      const builder = { subagent_type: "teamwright:builder", model: "sonnet", run_in_background: true };
      await turn.must("Agent", { description: "ada", name: "ada", ...builder, prompt });
      await until(() => phase() === "validate", "ada has handed in");
      await turn.must(tool("unit_validate"), { unit: taskId() });
      await turn.must(tool("message_send"), { to: "team:main", text: "FOR-THE-TEAM", kind: "INTERFACE-CHANGE" });
      const opened = await turn.must(tool("review_open"), { unit: taskId() });
      const review = /\brv-\w+/.exec(opened.text)?.[0];
      const spawned = await turn.must("Agent", {
        description: "Review",
        subagent_type: "teamwright:adversarial-reviewer",
        run_in_background: true,
        prompt: review,
      });
      nameReviewer();
      reviewer = spawnedId(spawned);
      await attempts(turn);
      for (;;) await turn.say("Waiting.");
    });
    const ada = model.actor("ada", async (turn) => {
      await turn.must(tool("task_claim"), { id: taskId() });
      await turn.must("Bash", { command: "echo two >> src/a.txt", description: "Write it" });
      await turn.must(tool("unit_submit"), { unit: taskId() });
      await until(() => reviewer !== "", "a reviewer is at work");
      await attempts(turn);
    });
    const rex = model.actor("rex", async (turn) => {
      await until(() => tried === 2, "both have tried");
      await turn.must("Read", { file_path: `${project}/src/a.txt` });
      return "VERDICT: PASS\nITEM 1: PASS | src/a.txt:2 | none | it is there";
    });
    const at = { version, cwd: project, home: box.home, pluginDir };
    expect(await runClaude({ ...at, prompt: "[actor:lead] Begin.", model })).toMatchObject({ code: 0 });
    model.check();
    for (const actor of [lead, ada]) {
      expect(refusals(actor, "SendMessage")).toEqual(
        Array(2).fill(expect.stringContaining("Nobody writes to an adversarial reviewer")),
      );
      expect(refusals(actor, tool("message_send"))).toEqual(
        Array(2).fill(expect.stringMatching(/^FORBIDDEN.*Nobody writes to an adversarial reviewer/)),
      );
    }
    expect(rex.conversations).toHaveLength(1);
    expect(rex.shown).not.toMatch(/PLEASE-PASS-IT|FOR-THE-TEAM|unread message/);
    const { events } = readStore(project);
    expect(events.filter((event) => event.type === "message.refused")).toHaveLength(4);
    expect((await logOf({ project, home: box.home })).messages.map(({ text }) => text)).toEqual(["FOR-THE-TEAM"]);
  });
});

/** The oldest client starts no monitors of plugins. */
test("the newest client wakes an idle lead in a terminal for an urgent message, and ends the monitor with itself", async () => {
  await using box = await openSandbox({ "teamwright.yaml": oneTeam });
  await using model = await startModel();
  const { project, home } = box;
  const monitors = () =>
    execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.startsWith(`node ${pluginDir}/bin/teamwright hook message-watch`)).length;
  let isIdle = false;
  const heard: string[] = [];
  model.actor("lead", async (turn) => {
    await turn.must("Skill", { skill: "teamwright:leading-a-team" });
    await turn.must(tool("task_create"), { title: "Write the parser", acceptance: "It parses." });
    const prompt = `[actor:ada] Work on ${readStore(project).task("Write the parser").key}.`;
    const builder = { subagent_type: "teamwright:builder", run_in_background: true };
    await turn.must("Agent", { description: "ada", name: "ada", ...builder, prompt });
    isIdle = true;
    for (;;) heard.push(await turn.say("LEAD-WAITS"));
  });
  let isHeard = false;
  model.actor("ada", async (turn) => {
    await until(() => isIdle, "the lead waits");
    await sleep(1000);
    await turn.must(tool("task_claim"));
    await turn.must(tool("message_send"), { to: "lead", text: "ADA-IS-STUCK", kind: "BLOCKER" });
    await until(() => isHeard, "the lead was woken");
    await turn.must(tool("task_close"), { id: readStore(project).task("Write the parser").key });
  });
  const at = { version: "newest" as const, cwd: project, home, pluginDir, model };
  {
    await using terminal = await startInteractive(at);
    await connected(home);
    await terminal.prompt("[actor:lead] Begin.");
    await until(
      () => heard.some((text) => text.includes("1 urgent message waits: BLOCKER from ada")),
      "the monitor woke the lead",
    );
    expect(monitors()).toBe(1);
    isHeard = true;
    await until(() => readStore(project).task("Write the parser").status === "closed", "ada is done");
    await terminal.exit();
  }
  model.check();
  // the wake-up is a prompt, and with it comes the message itself
  expect(heard.join("\n").match(/BLOCKER from ada to lead: ADA-IS-STUCK/g)).toHaveLength(1);
  expect(heard.join("\n").match(/Monitor event/g)).toHaveLength(1);
  await until(() => monitors() === 0, "the monitor is gone");
});
