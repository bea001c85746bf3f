/** The packed plugin installs from its marketplace folder into a home that has never seen a client. */
import { cp, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { addMarketplace, installPlugin, listServers, runClaude, validatePlugin } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, tool } from "./support/teamwright.ts";

describe.each(clientVersions)("the %s client", (version) => {
  test("finds nothing wrong with the packed plugin", async () => {
    await using box = await openSandbox();
    const at = { version, cwd: box.project, home: box.home };
    if (version === "newest") {
      const { stdout, ...ran } = await validatePlugin(pluginDir, at, "--strict", "--profile", "directory");
      expect(ran, stdout).toMatchObject({ code: 0 });
      return;
    }
    // It has no directory profile, and warns of manifest fields that came after it.
    const { stdout, code } = await validatePlugin(pluginDir, at);
    expect(code, stdout).toBe(0);
    const unknown = [...stdout.matchAll(/❯ (\w+): (Unknown field)?/g)].map(([, field, kind]) => [field, kind]);
    expect(unknown).toEqual(["icon", "engines", "network"].map((field) => [field, "Unknown field"]));
  });

  test("installs it, connects its server and runs a session on it", async () => {
    await using box = await openSandbox();
    await using model = await startModel();
    const at = { version, cwd: box.project, home: box.home };
    // A copy, so that nothing of the checkout around the packed folder can be reached.
    const market = join(box.root, "market");
    await cp(dirname(pluginDir), market, { recursive: true });
    const files = await readdir(market, { recursive: true });
    expect(files.filter((file) => /(^|\/)(node_modules|package-lock\.json)$/.test(file))).toEqual([]);

    expect(await addMarketplace(market, at)).toMatchObject({ code: 0 });
    expect(await installPlugin("teamwright@teamwright", at)).toMatchObject({ code: 0 });
    expect((await listServers(at)).stdout).toMatch(/plugin:teamwright:teamwright: .*Connected/);

    model.actor("lead", async (turn) => {
      await turn.must(tool("task_create"), { title: "Write the parser", acceptance: "It parses." });
      await turn.must(tool("task_claim"));
      await turn.must(tool("task_close"), { id: readStore(box.project).task("Write the parser").key });
      return "closed";
    });
    expect(await runClaude({ ...at, prompt: "[actor:lead] Begin.", model })).toMatchObject({ code: 0, text: "closed" });
    model.check();
    const { events } = readStore(box.project);
    expect(events.map((event) => `${event.type} by ${event.actor_kind}`)).toEqual([
      "task.created by lead",
      "task.claimed by lead",
      "task.closed by lead",
    ]);

    const installed = JSON.parse(await readFile(join(box.home, ".claude/plugins/installed_plugins.json"), "utf8"));
    const [{ installPath }] = installed.plugins["teamwright@teamwright"];
    const copied = await readdir(installPath, { recursive: true });
    expect(copied).toContain("bin/teamwright");
    expect(copied.filter((file) => file.includes("node_modules"))).toEqual([]);
  });
});
