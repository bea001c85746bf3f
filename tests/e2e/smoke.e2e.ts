import { test, expect } from "vitest";
import { runClaude } from "./support/client.ts";
import { openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, tool } from "./support/teamwright.ts";
const version = (process.env.V ?? "newest") as "newest";
test("smoke", async () => {
  await using box = await openSandbox({ "teamwright.yaml": "teams:\n  - id: alpha\n    agents: [ada, abe]\n  - id: beta\n    agents: [bea, ben]\n" });
  await using model = await startModel();
  const lead = model.actor("lead", async (turn) => {
    console.log("LEAD PROMPT", turn.prompt);
    console.log("TOOLS", turn.tools().join(" "));
    const r = await turn.must(tool("task_create"), { tasks: [{ ref: "a", title: "Write a", acceptance: "a exists", team: "alpha" }, { title: "Write b", team: "beta", acceptance: "b" }] });
    console.log(r.text);
    const id = readStore(box.project).task("Write a").key;
    const a = await turn.must("Agent", { description: "ada", name: "ada", subagent_type: "teamwright:builder", prompt: `[actor:ada] Do ${id}.`, run_in_background: false });
    console.log(a.text);
    return "over";
  });
  const ada = model.actor("ada", async (turn) => {
    console.log("ADA PROMPT", turn.prompt);
    const r = await turn.call(tool("task_claim"), {});
    console.log(r);
    const back = await turn.say("I stop.");
    console.log("BACK", back);
    const id = readStore(box.project).task("Write a").key;
    console.log(await turn.call(tool("task_close"), { id, reason: "ok" }));
  });
  const t = Date.now();
  const ran = await runClaude({ version, prompt: "[actor:lead] Begin.", cwd: box.project, home: box.home, model, pluginDir });
  console.log(Date.now() - t, ran.code, ran.text, ran.stderr);
  console.log(readStore(box.project).events.map((e) => `${e.seq} ${e.operation} ${e.type} ${e.subject} ${e.actor} ${e.actor_name} ${e.before} ${e.after}`).join("\n"));
  console.log(readStore(box.project).agents);
  model.check();
});
