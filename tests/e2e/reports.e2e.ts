/** Within a run last words are a report, and what it says for others reaches them (requirements RP-01, RP-04). */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { openRuntime } from "../../mcp-server/src/runtime.ts";
import { openRun } from "../support/runs.ts";
import { runClaude } from "./support/client.ts";
import { builderReport } from "./support/report.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, teamwrightJson, tool } from "./support/teamwright.ts";
import { rows } from "./support/unit.ts";

const finding = "the exporter in lib/b.txt:1 drops the last byte of each page";
const change = "readLine() in src/a.txt:1 returns a list instead of one value";
const config = "gates: []\nmodels: { unscored: allow }\n";

test.each(clientVersions)(
  "reports are sent back, taken, and their tags reach whom they are for: %s client",
  async (version) => {
    await using box = await openSandbox({ "teamwright.yaml": config, "src/a.txt": "one\ntwo\n", "lib/b.txt": "b\n" });
    await using model = await startModel();
    const { project } = box;
    const session = randomUUID();
    const runtime = await openRuntime({ start: project, defaultIdentity: "advisory" });
    await openRun(runtime, session);
    await runtime.close();
    const key = (title: string) => readStore(project).task(title).key;
    const start = (name: string, title: string) => ({
      description: "Work",
      subagent_type: "teamwright:builder",
      run_in_background: false,
      prompt: `[actor:${name}] Do ${key(title)}.`,
    });
    const heard = { ada: "", mal: [] as string[], lead: "" };

    model.actor("lead", async (turn) => {
      await turn.must(tool("task_create"), {
        tasks: [
          { ref: "write", title: "Write the second line", acceptance: "- done", scope: ["src"] },
          { title: "Read the second line", acceptance: "- done", scope: ["lib"], blocked_by: ["write"] },
          { title: "Tidy the shelf", acceptance: "- done", scope: ["shelf"] },
        ],
      });
      await turn.must("Agent", start("ada", "Write the second line"));
      await turn.must("Agent", start("bob", "Read the second line"));
      await turn.must("Agent", start("mal", "Tidy the shelf"));
      heard.lead = await turn.say("over");
      const [open] = rows<{ key: string }>(project, "select key from tag where settled_at is null");
      await turn.must(tool("tag_resolve"), {
        tag: open?.key,
        resolution: "It names no finding; asked mal's successor.",
      });
      return "over";
    });
    model.actor("ada", async (turn) => {
      await turn.must(tool("task_claim"), { id: key("Write the second line") });
      await turn.must(tool("task_close"), { id: key("Write the second line"), reason: "The line is there" });
      heard.ada = await turn.say("All done, works fine.");
      return builderReport().replace("None", `- CROSS-DOMAIN:tester: ${finding}\n- INTERFACE-CHANGE: ${change}`);
    });
    const bob = model.actor("bob", async () => builderReport("bob"));
    model.actor("mal", async (turn) => {
      heard.mal.push(await turn.say("I report to nobody."));
      const resolved = await turn.call(tool("tag_resolve"), { tag: "tag-any", resolution: "there is nothing open" });
      expect(resolved).toMatchObject({ isError: true, text: expect.stringContaining("FORBIDDEN") });
      heard.mal.push(await turn.say("Still nothing."));
      return builderReport("mal").replace("None", "- CROSS-DOMAIN:tester: See the full report");
    });

    const at = { version, cwd: project, home: box.home, pluginDir, model };
    const ran = await runClaude({ ...at, prompt: "[actor:lead] Begin.", args: ["--session-id", session] });
    model.check();
    expect(ran).toMatchObject({ code: 0, text: "over" });

    // who sends no report gets what is missing in it; after twice it is taken, and visible as what it is
    expect(heard.ada).toMatch(/TW001 line 1/);
    expect(heard.mal).toEqual([expect.stringContaining("TW001"), expect.stringContaining("TW001")]);
    expect(rows(project, "select agent_name, status, malformed from report order by id")).toMatchObject([
      { status: "COMPLETE", malformed: 0 },
      { status: "COMPLETE", malformed: 0 },
      { malformed: 1 },
    ]);

    // the finding itself is a task, and the change is in the dependent's before it starts
    const follow = rows<{ title: string; description: string }>(
      project,
      "select * from task where title like 'Look into%'",
    );
    expect(follow).toMatchObject([{ description: expect.stringContaining(finding) }]);
    expect(bob.shown).toContain(change);

    // what could not be routed held the lead up once, and is settled now
    expect(heard.lead).toContain("1 tag is not routed: tag_list");
    expect(await teamwrightJson({ project, home: box.home }, "tag", "list")).toMatchObject({ total: 0 });
  },
);
