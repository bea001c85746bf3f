/** A checkpoint is answered by the person: at their own terminal, or in the session's dialog; by no model, in no way. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { Turn } from "./support/actor.ts";
import { runClaude } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { connected, pluginDir, readStore, resultOf, storeFile, teamwright, tool, until } from "./support/teamwright.ts";
import { startInteractive, type Terminal } from "./support/terminal.ts";

const oneTeam = "teams:\n  - id: main\n    agents: [ada]\n";
const launcher = join(pluginDir, "bin/teamwright");
const request = { title: "Drop the old table", kind: "destructive", questions: "Is the backup good?" };

interface CheckpointRow {
  readonly key: string;
  readonly status: string;
  readonly decided_by: string | null;
  readonly decided_by_name: string | null;
  readonly note: string | null;
}

function checkpoints(project: string): CheckpointRow[] {
  const db = new Database(storeFile(project), { readonly: true, fileMustExist: true });
  try {
    return db.prepare("select * from checkpoint order by id").all() as CheckpointRow[];
  } finally {
    db.close();
  }
}

const bash = (turn: Turn, command: string) => turn.call("Bash", { command, description: "Try it" });

/** What a model would think of to answer by itself. */
async function tryToAnswer(turn: Turn, id: string): Promise<void> {
  await turn.call(tool("checkpoint_approve"), { id });
  await turn.call(tool("checkpoint_reject"), { id, note: "no" });
  await turn.call(tool("checkpoint_request"), { ...request, decision: "approve" });
  await bash(turn, `teamwright checkpoint approve ${id}`);
  await bash(turn, `node "${launcher}" checkpoint approve ${id} --note fine`);
  await bash(turn, `cd /tmp && t"eam"wright checkpoint approve ${id}`);
  await bash(turn, `sqlite3 .teamwright/state.db "update checkpoint set status = 'approved'"`);
  // the guard cannot see into a file: what it does is for the command line and the server to refuse
  await bash(turn, `sh sneak.sh ${id}`);
  await bash(turn, `sh second.sh ${id}`);
}

const calls = (id: string) => [
  {
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-11-25",
      capabilities: { elicitation: { form: {} } },
      clientInfo: { name: "claude-code", version: "1.0.0" },
    },
  },
  { method: "notifications/initialized" },
  { id: 2, method: "tools/call", params: { name: "checkpoint_approve", arguments: { id } } },
  { id: 3, method: "tools/call", params: { name: "checkpoint_request", arguments: { ...request, title: "Mine" } } },
];
const lines = calls("$1").map((call) => JSON.stringify({ jsonrpc: "2.0", ...call }));
/** A server of its own, whose dialogs the script could answer. */
const second = `rm -f pipe; mkfifo pipe
(cat <<END
${lines.join("\n")}
END
sleep 2) > pipe &
node "${launcher}" serve < pipe
`;
const files = {
  "teamwright.yaml": oneTeam,
  "sneak.sh": `node "${launcher}" checkpoint approve "$1"\nnode "${launcher}" checkpoint reject "$1" --note no\n`,
  "second.sh": second,
};

describe.each(clientVersions)("the %s client", (version) => {
  test("without a person at it the checkpoint stays pending, whatever lead and agent try; the person approves", async () => {
    await using box = await openSandbox(files);
    await using model = await startModel();
    const { project } = box;
    const id = () => checkpoints(project)[0]?.key ?? "";
    const lead = model.actor("lead", async (turn) => {
      const asked = await turn.must(tool("checkpoint_request"), request);
      expect(asked.text).toContain('"status":"pending"');
      expect(asked.text).toContain("A person answers in a terminal of their own: teamwright checkpoint approve");
      await tryToAnswer(turn, id());
      const prompt = "[actor:ada] Work.";
      await turn.must("Agent", { description: "ada", name: "ada", run_in_background: false, prompt });
      return "over";
    });
    const ada = model.actor("ada", async (turn) => tryToAnswer(turn, id()));
    const at = { version, cwd: project, home: box.home, pluginDir };
    const ran = await runClaude({ ...at, prompt: "[actor:lead] Begin.", model });
    expect(ran).toMatchObject({ code: 0, text: "over" });
    model.check();
    const writing = expect.stringContaining("Writing through the command line acts as the person");
    const noTool = expect.stringContaining("No such tool available");
    for (const actor of [lead, ada]) {
      expect(actor.offered).not.toContain(tool("checkpoint_approve"));
      const tried = actor.calls.filter((call) => call.tool !== "ToolSearch").slice(actor === lead ? 1 : 0);
      expect(tried.slice(0, 9).map((call) => call.result?.text)).toEqual([
        noTool,
        noTool,
        expect.stringMatching(/^INVALID_INPUT[\s\S]*unknown argument decision/),
        writing,
        writing,
        writing,
        expect.stringContaining("The store under .teamwright"),
        expect.stringMatching(/FORBIDDEN: Nobody vouches[\s\S]*FORBIDDEN: Nobody vouches/),
        expect.stringMatching(/There is no tool of this name[\s\S]*FORBIDDEN: Nobody vouches/),
      ]);
    }
    expect(checkpoints(project)).toMatchObject([{ key: id(), status: "pending", decided_by: null }]);

    const person = { project, home: box.home };
    expect((await teamwright(person, "checkpoint", "list")).stdout).toContain("Drop the old table");
    const approved = await teamwright(person, "checkpoint", "approve", id(), "--note", "It is good.");
    expect(approved).toMatchObject({ code: 0, stdout: expect.stringContaining("approved") });
    expect(await teamwright(person, "checkpoint", "reject", id(), "--note", "no")).toMatchObject({ code: 1 });
    expect(checkpoints(project)).toMatchObject([{ status: "approved", note: "It is good." }]);
    const { events } = readStore(project);
    expect(events.filter((event) => event.subject === id()).map((event) => [event.type, event.actor_kind])).toEqual([
      ["checkpoint.requested", "lead"],
      ["checkpoint.approved", "human"],
    ]);
  });

  test("with a person at it a dialog asks them: their answer is theirs, and put away it is none", async () => {
    await using box = await openSandbox(files);
    await using model = await startModel();
    const { project, home } = box;
    const lead = model.actor("lead", async (turn) => {
      await turn.must(tool("checkpoint_request"), request);
      const prompt = "[actor:ada] Work.";
      await turn.must("Agent", { description: "ada", name: "ada", run_in_background: true, prompt });
      for (;;) await turn.say("LEAD-WAITS");
    });
    const ada = model.actor("ada", async (turn) => {
      await turn.must(tool("checkpoint_request"), { ...request, title: "Drop the new table" });
      await turn.must(tool("checkpoint_request"), { ...request, title: "Drop all tables" });
    });
    await using terminal = await startInteractive({ version, cwd: project, home, pluginDir, model });
    await connected(home);
    await terminal.prompt("[actor:lead] Begin.");
    expect(await terminal.waitFor("Drop the old table")).toContain("Questions: Is the backup good?");
    await decide(terminal, ["Space", "Down"], "It is good.");
    await until(() => checkpoints(project)[0]?.status === "approved", "the person has approved");
    await terminal.waitFor("Drop the new table");
    await decide(terminal, ["Down", "Space", "Down"]);
    await until(() => checkpoints(project)[1]?.status === "rejected", "the person has rejected");
    await terminal.waitFor("Drop all tables");
    await terminal.press("Escape");
    await until(() => ada.conversations[0]?.finished === true, "ada has gone on");
    expect(resultOf(lead, "checkpoint_request")?.text).toMatch(/"status":"approved".*It is good\./);
    expect(resultOf(ada, "checkpoint_request")?.text).toContain('"status":"rejected"');
    expect(resultOf(ada, "checkpoint_request", 1)?.text).toContain('"status":"pending"');
    const decided_by_name = "the person at the session (elicitation)";
    expect(checkpoints(project)).toMatchObject([
      { status: "approved", decided_by_name, note: "It is good." },
      { status: "rejected", decided_by_name, note: null },
      { status: "pending", decided_by_name: null },
    ]);
    const answers = readStore(project).events.filter((event) => /^checkpoint\.(approved|rejected)$/.test(event.type));
    expect(answers.map((event) => event.actor_kind)).toEqual(["human", "human"]);

    // an answer from elsewhere reaches the lead by itself, with the next prompt
    const last = checkpoints(project)[2]?.key ?? "";
    expect(await teamwright({ project, home }, "checkpoint", "approve", last)).toMatchObject({ code: 0 });
    await terminal.prompt("Go on.");
    await until(() => lead.shown.includes(`Checkpoint ${last}`), "the lead has heard");
    expect(lead.shown).toMatch(new RegExp(`Checkpoint ${last} \\(destructive, Drop all tables\\) was approved by`));
    await terminal.exit();
    model.check();
  });
});

/** Opens the list of answers, picks one, writes a note and sends the form, with the keys of the client's dialog. */
async function decide(terminal: Terminal, pick: readonly string[], note = ""): Promise<void> {
  const press = async (key: string, pauseMs = 500) => {
    await terminal.press(key);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  };
  for (const key of ["Right", ...pick]) await press(key);
  for (const letter of note) await press(letter === " " ? "Space" : letter, 50);
  if (note !== "") await terminal.waitFor(note);
  for (const key of ["Down", "Enter"]) await press(key);
}
