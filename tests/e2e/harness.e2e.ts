/** What Teamwright relies on in the client, shown with a plugin that only records. */
import { existsSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { addMarketplace, installPlugin, listServers, runClaude, validatePlugin } from "./support/client.ts";
import { probePlugin, probeTool, readProbeLog } from "./support/probe-log.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { connected, until } from "./support/teamwright.ts";
import { startInteractive } from "./support/terminal.ts";

const noTool = "No such tool available";

/** Resolves when opened; lets one actor wait for another. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe.each(clientVersions)("the %s client", (version) => {
  test("hooks see who calls, and the hidden guard is theirs alone", async () => {
    await using box = await openSandbox();
    await using model = await startModel();
    const lead = model.actor("lead", async (turn) => {
      await turn.must(probeTool("ping"), { text: "lead", items: ["a", { b: 1 }], n: 5 });
      await turn.call(probeTool("guard"), { hook: "PreToolUse" });
      await turn.call(probeTool("ping"), { text: "please-deny" });
      await turn.call(probeTool("fail"), { text: "lead" });
      const prompt = "[actor:fay] Look.";
      await turn.must("Agent", {
        description: "fay",
        subagent_type: "probe:builder",
        run_in_background: false,
        prompt,
      });
      return "lead over";
    });
    const fay = model.actor("fay", async (turn) => {
      await turn.must(probeTool("ping"), { text: "fay" });
      await turn.call(probeTool("guard"), { hook: "PreToolUse" });
      const again = await turn.say("please-continue");
      return `fay over after: ${again}`;
    });
    const PROBE_LOG = join(box.root, "probe.jsonl");
    const ran = await runClaude({
      version,
      prompt: "[actor:lead] Begin.",
      cwd: box.project,
      home: box.home,
      model,
      pluginDir: probePlugin,
      env: { PROBE_LOG },
    });
    model.check();
    expect(ran).toMatchObject({ code: 0, timedOut: false, text: "lead over" });
    const log = readProbeLog(PROBE_LOG);

    for (const actor of [lead, fay]) {
      expect(actor.offered).not.toContain(probeTool("guard"));
      expect(actor.calls.find((call) => call.tool === probeTool("guard"))?.result?.text).toContain(noTool);
    }
    expect(log.called("guard").every((line) => line.meta === null)).toBe(true);

    const [byLead, byFay] = log.called("ping");
    const idOf = (line: typeof byLead) => line?.meta?.["claudecode/toolUseId"];
    const agentId = log.payloads("SubagentStart")[0]?.agent_id;
    expect(log.guarded("PreToolUse", { tool_use_id: idOf(byLead) })).toMatchObject([{ agent_id: "", agent_type: "" }]);
    expect(log.guarded("PreToolUse", { tool_use_id: idOf(byFay) })).toMatchObject([
      { agent_id: agentId, agent_type: "probe:builder" },
    ]);
    expect(log.payloads("PreToolUse", { tool_use_id: idOf(byLead) })[0]).not.toHaveProperty("agent_id");
    for (const line of [byLead, byFay]) {
      const before = log.lines.find((one) => one.input?.hook === "PreToolUse" && one.input.tool_use_id === idOf(line));
      const after = log.lines.find((one) => one.input?.hook === "PostToolUse" && one.input.tool_use_id === idOf(line));
      expect(before?.at).toBeLessThan(line?.at ?? 0);
      expect(after?.at).toBeGreaterThan(line?.at ?? Number.POSITIVE_INFINITY);
    }

    const denied = lead.calls.find((call) => call.input.text === "please-deny");
    expect(denied?.result).toMatchObject({ isError: true, text: expect.stringContaining("PROBE-DENIED") });
    expect(log.payloads("PostToolUse", { tool_use_id: denied?.id })).toEqual([]);
    expect(log.payloads("PostToolUseFailure")).toMatchObject([{ error: "failed: fail" }]);

    expect(fay.shown).toContain(`PROBE-CONTEXT SubagentStart ${agentId}`);
    expect(log.payloads("SubagentStop", { agent_id: agentId })).toMatchObject([
      { last_assistant_message: "please-continue", stop_hook_active: false },
      { last_assistant_message: expect.stringContaining("PROBE-BLOCKED"), stop_hook_active: true },
    ]);
    expect(log.payloads("SessionStart")).toHaveLength(1);
    expect(log.payloads("SessionEnd")).toHaveLength(1);

    expect(log.guarded("templates", { path: "lead" })[0]).toMatchObject({
      whole: "",
      nested: { deep: [probeTool("ping"), "xy"] },
      missing: "",
      list: '["a",{"b":1}]',
      item: "a",
      number: "5",
      literal: 7,
    });
  });

  test("named agents work in the background, in a worktree, and hear each other", async () => {
    await using box = await openSandbox();
    await using model = await startModel();
    const reported = gate();
    const lead = model.actor("lead", async (turn) => {
      const spawn = (name: string, more: object) =>
        turn.must("Agent", { description: name, name, prompt: `[actor:${name}] Work.`, ...more });
      const bob = await spawn("bob", { subagent_type: "probe:builder", run_in_background: true });
      const wendy = await spawn("wendy", { isolation: "worktree", run_in_background: false });
      expect(wendy.text).toContain("worktree-agent-");
      const bobId = /agentId: (\w+)/.exec(bob.text)?.[1] ?? "";
      await turn.must("SendMessage", { to: "bob", message: "GREETING", summary: "hello" });
      reported.open();
      let heard = "";
      while (!heard.includes("BOB-REPORTS")) heard = await turn.say("Waiting.");
      return `lead heard bob, ${bobId}`;
    });
    const bob = model.actor("bob", async (turn) => {
      await turn.must(probeTool("ping"), { text: "bob" });
      await reported.opened;
      const { heard } = await turn.must(probeTool("ping"), { text: "bob again" });
      await turn.must("SendMessage", {
        to: "main",
        message: `BOB-REPORTS ${heard.includes("GREETING")}`,
        summary: "r",
      });
    });
    const wendy = model.actor("wendy", async (turn) => {
      await turn.must(probeTool("ping"), { text: "wendy" });
      await turn.must("Bash", { command: "touch made-by-wendy", description: "Make a file" });
    });
    const PROBE_LOG = join(box.root, "probe.jsonl");
    const ran = await runClaude({
      version,
      prompt: "[actor:lead] Begin.",
      cwd: box.project,
      home: box.home,
      model,
      pluginDir: probePlugin,
      env: { PROBE_LOG },
    });
    model.check();
    expect(ran.code).toBe(0);
    const log = readProbeLog(PROBE_LOG);
    expect(lead.shown).toContain("BOB-REPORTS true");
    expect(bob.shown).toContain("GREETING");

    const spawns = log.payloads("PostToolUse", { tool_name: "Agent" });
    expect(spawns.map((payload) => payload.tool_response)).toMatchObject([
      { status: "async_launched", agentId: expect.any(String) },
      { status: "completed", agentId: expect.any(String), worktreePath: expect.stringContaining("worktrees/agent-") },
    ]);
    const inWorktree = log.payloads("PreToolUse", { tool_name: "Bash" })[0];
    expect(inWorktree?.cwd).toBe(join(box.project, `.claude/worktrees/agent-${inWorktree?.agent_id}`));
    expect(existsSync(join(String(inWorktree?.cwd), "made-by-wendy"))).toBe(true);
    expect(wendy.conversations).toHaveLength(1);
    expect(log.payloads("PreToolUse", { tool_name: "SendMessage" }).map((payload) => payload.tool_input)).toMatchObject(
      [
        { to: "bob", message: "GREETING", recipient: "bob" },
        { to: "main", recipient: "main" },
      ],
    );
  });

  test("a stopped agent fires no SubagentStop; its call is cancelled and the stopping call is what hooks see", async () => {
    await using box = await openSandbox();
    await using model = await startModel();
    const PROBE_LOG = join(box.root, "probe.jsonl");
    let agentId = "";
    model.actor("lead", async (turn) => {
      const prompt = "[actor:bob] Work.";
      const bob = await turn.must("Agent", { description: "bob", name: "bob", run_in_background: true, prompt });
      agentId = /agentId: (\w+)/.exec(bob.text)?.[1] ?? "";
      while (readProbeLog(PROBE_LOG).called("ping").length === 0) await setTimeout(50);
      await turn.must("TaskStop", { task_id: agentId });
      return "stopped";
    });
    model.actor("bob", async (turn) => {
      await turn.must(probeTool("ping"), { text: "bob", waitMs: 20_000 });
    });
    const at = { version, cwd: box.project, home: box.home, env: { PROBE_LOG } };
    await runClaude({ ...at, prompt: "[actor:lead] Begin.", model, pluginDir: probePlugin });
    model.check();
    const log = readProbeLog(PROBE_LOG);
    expect(log.payloads("SubagentStop")).toEqual([]);
    expect(log.payloads("PostToolUse", { tool_name: probeTool("ping") })).toEqual([]);
    expect(log.payloads("PostToolUseFailure")).toEqual([]);
    expect(log.lines.some((line) => line.message?.method === "notifications/cancelled")).toBe(true);
    expect(log.payloads("PostToolUse", { tool_name: "TaskStop" })).toMatchObject([
      { tool_input: { task_id: agentId } },
    ]);
  });

  test("in a session with agent teams a teammate's agent_type is its name", async () => {
    await using box = await openSandbox();
    await using model = await startModel();
    model.actor("lead", async (turn) => {
      const agent = { subagent_type: "probe:builder", run_in_background: true };
      await turn.must("Agent", { ...agent, description: "bob", name: "bob", prompt: "[actor:bob] Work." });
      await turn.must("Agent", { ...agent, description: "review", prompt: "[actor:rhea] Review." });
      let heard = "";
      while (!heard.includes("BOB-REPORTS")) heard = await turn.say("Waiting.");
      await turn.say("LEAD-HEARD-BOB");
    });
    const bob = model.actor("bob", async (turn) => {
      await turn.must(probeTool("ping"), { text: "bob" });
      await turn.must("SendMessage", { to: "team-lead", message: "BOB-REPORTS", summary: "report" });
      await turn.say("Idle.");
    });
    model.actor("rhea", async (turn) => {
      await turn.must(probeTool("ping"), { text: "rhea" });
    });
    const PROBE_LOG = join(box.root, "probe.jsonl");
    const at = { version, cwd: box.project, home: box.home, env: { PROBE_LOG } };
    await using terminal = await startInteractive({ ...at, model, pluginDir: probePlugin });
    await connected(box.home, "probe");
    await terminal.prompt("[actor:lead] Begin.");
    await terminal.waitFor("LEAD-HEARD-BOB");
    await until(() => readProbeLog(PROBE_LOG).payloads("TeammateIdle").length > 0, "bob is idle");
    await terminal.exit();
    model.check();
    const log = readProbeLog(PROBE_LOG);
    const callers = log
      .payloads("PreToolUse", { tool_name: probeTool("ping") })
      .map((payload) => [payload.agent_type, String(payload.agent_id).slice(0, 5)]);
    expect(callers).toContainEqual(["bob", "abob-"]);
    expect(callers).toContainEqual(["probe:builder", expect.any(String)]);
    expect(bob.shown).toContain("PROBE-CONTEXT SubagentStart abob-");
    // A message that reaches it late wakes it, and it is idle once more.
    expect(new Set(log.payloads("TeammateIdle").map((payload) => payload.teammate_name))).toEqual(new Set(["bob"]));
    expect(log.payloads("SessionEnd")).toMatchObject([{ reason: "prompt_input_exit" }]);
  });

  test("a plugin installs from a folder marketplace into an empty home", async () => {
    await using box = await openSandbox();
    const at = { version, cwd: box.project, home: box.home };
    expect(await validatePlugin(probePlugin, at)).toMatchObject({ code: 0 });
    expect((await listServers(at)).stdout).toContain("No MCP servers configured");
    const market = join(box.root, "market");
    const plugins = [{ name: "probe", source: "./probe", description: "Records." }];
    await cp(probePlugin, join(market, "probe"), { recursive: true });
    await mkdir(join(market, ".claude-plugin"));
    await writeFile(
      join(market, ".claude-plugin/marketplace.json"),
      JSON.stringify({ name: "market", owner: { name: "Ada" }, description: "A market", plugins }),
    );
    expect(await addMarketplace(market, at)).toMatchObject({ code: 0 });
    expect(await installPlugin("probe@market", at)).toMatchObject({ code: 0 });
    expect((await listServers(at)).stdout).toMatch(/plugin:probe:probe: .*Connected/);
  });
});
