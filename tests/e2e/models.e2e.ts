/** Within a run the score of a task chooses the model, and spawns and what agents are told stay within limits. */
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openRuntime } from "../../mcp-server/src/runtime.ts";
import { openRun } from "../support/runs.ts";
import { runClaude } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, teamwrightJson, tool } from "./support/teamwright.ts";

const easy = { ambiguity: 0, integration: 0, novelty: 0, risk: 0, scale: 1 };
const hard = { ambiguity: 2, touchpoints: 7, novelty: 2, risk: 1, files: 20 };
const config = "context: {budget_tokens: 600}\n";
const acknowledge = "The migration needs a database expert whom nobody on the team replaces";

/** A run in the session to come, as its plan would open it. */
async function withRun(project: string, session: string): Promise<void> {
  const runtime = await openRuntime({ start: project, defaultIdentity: "advisory" });
  await openRun(runtime, session);
  await runtime.close();
}

describe.each(clientVersions)("the %s client", (version) => {
  test("models follow scores, spawns have tasks and limits, agents are told what fits", async () => {
    const learnings = Array.from({ length: 120 }, (_, n) => `- LEARNED-${n} about something`).join("\n");
    await using box = await openSandbox({ "teamwright.yaml": config, "LEARNINGS.md": learnings });
    await using model = await startModel();
    const { project } = box;
    const session = randomUUID();
    await withRun(project, session);
    const key = (title: string) => readStore(project).task(title).key;
    const agent = (name: string, prompt: string, more: object = {}) => ({
      description: "an agent",
      subagent_type: "general-purpose",
      run_in_background: false,
      prompt: `[actor:${name}] ${prompt}`,
      ...more,
    });

    const lead = model.actor("lead", async (turn) => {
      await turn.must(tool("task_create"), {
        tasks: [
          { title: "Write the parser", acceptance: "ACCEPT-PARSER", description: "D-LINE of it\n".repeat(600) },
          { title: "Write the printer", acceptance: "ACCEPT-PRINTER" },
        ],
      });
      const [parser, printer] = [key("Write the parser"), key("Write the printer")];
      await turn.must(tool("knowledge_add"), { fact: "The parser must keep comments of its input", kind: "rule" });
      await turn.call("Agent", agent("hasty", `Work on ${printer}.`));
      await turn.must(tool("brief_spawn"), { task: parser, name: "ada", complexity: hard });
      await turn.must(tool("brief_spawn"), { task: printer, name: "bob", complexity: easy });
      await turn.call("Agent", agent("stray", "Just do it."));
      await turn.must("Agent", agent("ada", `Work on ${parser}.`, { model: "haiku" }));
      await turn.must("Agent", agent("bob", `Work on ${printer}.`, { model: "opus" }));
      for (let n = 0; n < 3; n += 1) await turn.must("Agent", agent("more", `Help with ${printer}.`));
      await turn.call("Agent", agent("sixth", `Help with ${printer}.`));
      await turn.call(tool("brief_spawn"), { acknowledge: "ok" });
      await turn.must(tool("brief_spawn"), { acknowledge });
      await turn.must("Agent", agent("seventh", `Help with ${printer}.`));
      return "over";
    });
    const says = async () => "Seen.";
    const [ada, bob] = [model.actor("ada", says), model.actor("bob", says)];
    model.actor("more", says);
    model.actor("seventh", says);

    const ran = await runClaude({
      version,
      cwd: project,
      home: box.home,
      pluginDir,
      prompt: "[actor:lead] Begin.",
      model,
      args: ["--session-id", session],
    });
    model.check();
    expect(ran).toMatchObject({ code: 0, text: "over", sessionId: session });

    // the call said haiku and opus; the scores say otherwise
    expect(ada.models).toEqual([expect.stringContaining("opus")]);
    expect(bob.models).toEqual([expect.stringContaining("haiku")]);
    const refused = lead.calls.filter((call) => call.result?.isError).map((call) => call.result?.text);
    expect(refused).toEqual([
      expect.stringMatching(/Nobody has scored tw-\w+: brief_spawn/),
      expect.stringContaining("A run starts no agent without a task"),
      expect.stringMatching(/The run has started 5 agents.*acknowledge/),
      expect.stringMatching(/^RULE_VIOLATED.*no reason/),
    ]);

    // what ada was told: the task first, the rest as far as it fits, the missing named
    const { prompt } = { prompt: ada.shown };
    expect(prompt).toContain("ACCEPT-PARSER");
    expect(prompt).toMatch(/Left out: .*description \(task_show /);
    const told = /Teamwright knows you as[\s\S]*?Left out: [^\n]*\./.exec(prompt)?.[0] ?? "";
    expect(told.length).toBeGreaterThan(500);
    expect(Buffer.byteLength(told)).toBeLessThanOrEqual(2400);
    expect(bob.shown).toContain("The parser must keep comments of its input");
    expect(bob.shown).toContain("LEARNED-0 ");
    expect(bob.shown).not.toContain("LEARNED-50 ");

    // the log of the run has it all
    const { path } = await teamwrightJson({ project, home: box.home }, "run", "log");
    const log = readFileSync(join(project, String(path)), "utf8");
    expect(log).toContain("with opus (score: 9");
    expect(log).toContain("with haiku (score: 1");
    expect(log).toContain(acknowledge);
    expect(log).toContain("**Tasks:** 2 created, 0 completed, 2 remaining");
    const after = readFileSync(join(project, "LEARNINGS.md"), "utf8");
    expect(after.startsWith(learnings)).toBe(true);
    expect(after).toContain("The parser must keep comments of its input");
  });

  test("outside a run nothing is refused, rewritten or told", async () => {
    await using box = await openSandbox({ "LEARNINGS.md": "LEARNED-0\n" });
    await using model = await startModel();
    const lead = model.actor("lead", async (turn) => {
      for (let n = 0; n < 7; n += 1)
        await turn.must("Agent", {
          description: "an agent",
          subagent_type: "general-purpose",
          run_in_background: false,
          model: "haiku",
          prompt: "[actor:any] Look around.",
        });
      return "over";
    });
    const any = model.actor("any", async () => "Seen.");
    const at = { version, cwd: box.project, home: box.home, pluginDir, model };
    const ran = await runClaude({ ...at, prompt: "[actor:lead] Begin." });
    model.check();
    expect(ran).toMatchObject({ code: 0, text: "over" });
    expect(lead.calls.filter((call) => call.result?.isError)).toEqual([]);
    expect(any.models).toEqual([expect.stringContaining("haiku")]);
    expect(any.shown).not.toMatch(/LEARNED-0|Teamwright knows you/);
    expect(existsSync(join(box.project, "team-registry"))).toBe(false);
    expect(readdirSync(box.project)).not.toContain("run-logs");
  });
});
