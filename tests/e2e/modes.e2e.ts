/** The same play in every mode of the client leaves the same records: who did what never depends on the mode. */
import { describe, expect, test } from "vitest";
import type { Actor, ToolCall } from "./support/actor.ts";
import { runClaude } from "./support/client.ts";
import { type ClientVersion, clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { connected, deedsOf, pluginDir, readStore, type Stored, tool, trailOf, until } from "./support/teamwright.ts";
import { startInteractive } from "./support/terminal.ts";

const twoTeams = "teams:\n  - id: alpha\n    agents: [ada, mal]\n  - id: beta\n    agents: [bea]\n";

interface Mode {
  readonly title: string;
  readonly interactive?: boolean;
  readonly named: boolean;
  readonly background: boolean;
}
const modes: readonly Mode[] = [
  { title: "teammates in a terminal", interactive: true, named: true, background: true },
  { title: "named agents in a run without terminal (MD-03)", named: true, background: true },
  { title: "nameless agents in the foreground (MD-02)", named: false, background: false },
  { title: "nameless agents in the background", named: false, background: true },
];

/** Task mode is a client that offers no messages between agents. */
const withoutMessages = ["--disallowedTools", "SendMessage"];

interface Play {
  readonly store: Stored;
  readonly ada: Actor;
  readonly mal: Actor;
}

/** Ada builds, stops too early and is sent back; Mal steals in vain, then dies on a task of her own. */
async function perform(version: ClientVersion, mode: Mode): Promise<Play> {
  await using box = await openSandbox({ "teamwright.yaml": twoTeams });
  await using model = await startModel();
  const { project, home } = box;
  const store = () => readStore(project);
  const theirs = () => store().task("Write the parser");
  const own = () => store().task("Try the parser");

  model.actor("lead", async (turn) => {
    const tasks = [
      { title: "Write the parser", team: "alpha", acceptance: "ACCEPT-PARSER", priority: 1 },
      { title: "Try the parser", team: "alpha", acceptance: "ACCEPT-TRIAL" },
    ];
    await turn.must(tool("task_create"), { tasks });
    const agent = (name: string, role: string, id: string): ToolCall => {
      const prompt = `[actor:${name}] Work on ${id}.`;
      const input = {
        description: name,
        subagent_type: `teamwright:${role}`,
        run_in_background: mode.background,
        prompt,
      };
      return { tool: "Agent", input: mode.named ? { ...input, name } : input };
    };
    await turn.callAll([agent("ada", "builder", theirs().key), agent("mal", "tester", own().key)]);
    for (;;) await turn.say("LEAD-WAITS");
  });
  const ada = model.actor("ada", async (turn) => {
    await turn.must(tool("task_claim"));
    await until(() => own().holder !== null, "mal has gone on");
    await turn.say("I stop too early.");
    await turn.must(tool("task_close"), { id: theirs().key, reason: "It parses." });
  });
  const mal = model.actor("mal", async (turn) => {
    await until(() => theirs().holder !== null, "ada holds the parser");
    const { key, fence } = theirs();
    await turn.call(tool("guard"), {
      event: "PreToolUse",
      session_id: "s",
      tool_name: tool("task_close"),
      tool_use_id: "t",
    });
    await turn.call("Bash", { command: `teamwright task close ${key}`, description: "Close it" });
    await turn.call(tool("task_claim"), { id: key });
    await turn.call(tool("task_close"), { id: key, fence });
    await turn.call(tool("task_update"), { id: key, release: "I want it" });
    await turn.call(tool("board_move"), { id: key, to: "ready" });
    await turn.must(tool("task_claim"));
    await turn.say("I give up.");
    return "I said that I give up.";
  });

  const at = { version, cwd: project, home, pluginDir, model };
  const over = () => theirs().status === "closed" && store().agents.every((row) => row.ended_at !== null);
  if (mode.interactive) {
    await using terminal = await startInteractive(at);
    await connected(home);
    await terminal.prompt("[actor:lead] Begin.");
    await until(over, "both agents have ended");
    await terminal.exit();
  } else {
    const ran = await runClaude({ ...at, prompt: "[actor:lead] Begin.", args: mode.named ? [] : withoutMessages });
    expect(ran).toMatchObject({ code: 0, timedOut: false });
  }
  model.check();
  return { store: store(), ada, mal };
}

/** What happened to each task and agent, with people's ids replaced by what they are. */
function records(store: Stored) {
  const actor = (key: string) => {
    const [kind = "", id = ""] = key.split(":");
    return kind === "agent" ? `agent ${store.agents.find((row) => row.agent_id === id)?.role}` : kind;
  };
  const history = (subject: string) => store.eventsOf(subject).map((event) => `${event.type} by ${actor(event.actor)}`);
  return {
    tasks: store.tasks.map((task) => [task.title, task.team, task.status, task.fence, history(task.key)]),
    agents: store.agents
      .map((row) => [
        row.role,
        row.team,
        row.generation,
        store.tasks.find((task) => task.key === row.task_key)?.title,
        row.end_reason,
        history(row.agent_id),
      ])
      .sort((a, b) => String(a[0]).localeCompare(String(b[0]))),
  };
}

const expected = {
  tasks: [
    [
      "Write the parser",
      "alpha",
      "closed",
      1,
      ["task.created by lead", "task.claimed by agent builder", "task.closed by agent builder"],
    ],
    [
      "Try the parser",
      "alpha",
      "open",
      1,
      ["task.created by lead", "task.claimed by agent tester", "claim.freed by service"],
    ],
  ],
  agents: ["builder", "tester"].map((role) => [
    role,
    "alpha",
    1,
    role === "builder" ? "Write the parser" : "Try the parser",
    "stopped",
    ["agent.started by service", "agent.named by service", "agent.stopped by service"],
  ]),
};

describe.each(clientVersions)("the %s client", (version) => {
  test.each(modes)("$title", async (mode) => {
    const { store, ada, mal } = await perform(version, mode);
    expect(records(store)).toEqual(expected);

    const byRole = (role: string) => store.agents.find((row) => row.role === role);
    expect(byRole("builder")?.name).toBe(mode.named ? "ada" : null);
    expect(byRole("tester")?.name).toBe(mode.named ? "mal" : null);
    expect(trailOf(store, `agent:${byRole("builder")?.agent_id}`)).toEqual(deedsOf(ada));
    expect(trailOf(store, `agent:${byRole("tester")?.agent_id}`)).toEqual(deedsOf(mal));

    expect(mal.calls.filter((call) => call.result?.isError).map((call) => call.result?.text)).toEqual([
      expect.stringContaining("No such tool available"),
      expect.stringContaining("Writing through the command line acts as the person"),
      expect.stringMatching(/^CONFLICT.*is held by/),
      ...Array(3).fill(expect.stringMatching(/^FORBIDDEN.*is held by/)),
    ]);
    expect(ada.shown).toContain("ACCEPT-PARSER");
    expect(mal.shown).toContain("ACCEPT-TRIAL");
    for (const actor of [ada, mal]) {
      expect(actor.conversations).toHaveLength(1);
      const last = JSON.stringify(actor.requests.at(-1)?.messages);
      expect(last.match(/Stop hook feedback:/g)).toHaveLength(1);
    }
  });

  test.each(modes)("$title: two of one role, started together, are told apart from the start", async (mode) => {
    await using box = await openSandbox({ "teamwright.yaml": twoTeams });
    await using model = await startModel();
    const { project, home } = box;
    const key = (title: string) => readStore(project).task(title).key;
    const isClosed = (title: string) => readStore(project).task(title).status === "closed";
    model.actor("lead", async (turn) => {
      const tasks = [
        { title: "Write the parser", team: "alpha", acceptance: "ACCEPT-PARSER" },
        { title: "Write the server", team: "beta", acceptance: "ACCEPT-SERVER" },
      ];
      await turn.must(tool("task_create"), { tasks });
      const agent = (name: string, title: string): ToolCall => {
        const input = {
          description: name,
          subagent_type: "teamwright:builder",
          prompt: `[actor:${name}] Work on ${key(title)}.`,
        };
        const more = { run_in_background: mode.background, ...(mode.named ? { name } : {}) };
        return { tool: "Agent", input: { ...input, ...more } };
      };
      await turn.callAll([agent("ada", "Write the parser"), agent("bea", "Write the server")]);
      for (;;) await turn.say("LEAD-WAITS");
    });
    const builder = (name: string, own: string, theirs: string) =>
      model.actor(name, async (turn) => {
        expect((await turn.call(tool("task_claim"), { id: key(theirs) })).text).toMatch(/^FORBIDDEN.*belongs to team/);
        await turn.must(tool("task_claim"));
        await turn.must(tool("task_close"), { id: key(own) });
      });
    const ada = builder("ada", "Write the parser", "Write the server");
    const bea = builder("bea", "Write the server", "Write the parser");
    const at = { version, cwd: project, home, pluginDir, model };
    if (mode.interactive) {
      await using terminal = await startInteractive(at);
      await connected(home);
      await terminal.prompt("[actor:lead] Begin.");
      await until(() => isClosed("Write the parser") && isClosed("Write the server"), "both have closed");
      await terminal.exit();
    } else {
      await runClaude({ ...at, prompt: "[actor:lead] Begin.", args: mode.named ? [] : withoutMessages });
    }
    model.check();
    expect(ada.shown).toMatch(/Teamwright knows you as \w+ of team alpha \(builder\)[\s\S]*ACCEPT-PARSER/);
    expect(bea.shown).toMatch(/Teamwright knows you as \w+ of team beta \(builder\)[\s\S]*ACCEPT-SERVER/);
    const { agents, tasks } = readStore(project);
    expect(tasks.map((task) => task.status)).toEqual(["closed", "closed"]);
    expect(agents.map((row) => [row.team, row.task_key]).sort()).toEqual([
      ["alpha", key("Write the parser")],
      ["beta", key("Write the server")],
    ]);
  });
});
