import { test } from "vitest";
import { runClaude } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { startInteractive } from "./support/terminal.ts";
import { pluginDir } from "./support/teamwright.ts";
const command = "exec sh -c 'echo me $(cut -d\" \" -f1,4,5,6 /proc/$$/stat); p=$PPID; echo client $(cut -d\" \" -f1,4,5,6 /proc/$p/stat) $(readlink /proc/$p/exe); for c in $(cat /proc/$p/task/*/children); do echo child $(cut -d\" \" -f1,4,5,6 /proc/$c/stat) $(tr \"\\0\" \" \" < /proc/$c/cmdline | cut -c1-120); done; env | grep -i claude'";
for (const version of clientVersions) for (const mode of ["p", "i"]) test(`probe ${version} ${mode}`, async () => {
  await using box = await openSandbox();
  await using model = await startModel();
  model.actor("lead", async (turn) => {
    const r = await turn.call("Bash", { command, description: "x" });
    console.log(version, mode, r.text);
    await turn.say("LEAD-DONE");
  });
  const at = { version, cwd: box.project, home: box.home, model, pluginDir };
  if (mode === "p") await runClaude({ ...at, prompt: "[actor:lead] Begin." });
  else { await using t = await startInteractive(at); await t.prompt("[actor:lead] Begin."); await t.waitFor("LEAD-DONE"); await t.exit(); }
  model.check();
});
