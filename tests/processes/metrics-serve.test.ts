import { spawn } from "node:child_process";
import { once } from "node:events";
import { beforeAll, expect, test } from "vitest";
import { inspect } from "../support/inspect.ts";
import { cleanEnvironment, ensureBuilt, node, openProject, type Project, stores } from "../support/processes.ts";

const config = `task_quality: off
teams:
  - {id: web, agents: [ada]}
  - {id: api, agents: [bea]}
`;

beforeAll(async () => {
  await ensureBuilt();
});

/** Its address, or what it said instead. */
async function startServing(project: Project, port = "0") {
  const { server } = await ensureBuilt();
  const options = { cwd: project.root, env: cleanEnvironment() };
  const child = spawn(node, [...server, "metrics", "serve", "--port", port, "--json"], options);
  let said = "";
  let out = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  let settle: (url: string) => void = () => {};
  const url = new Promise<string>((resolve) => {
    settle = resolve;
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => {
      said += data;
      const found = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(said)?.[0];
      if (found) settle(found);
    });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, out }));
  void ended.then(() => settle(said));
  return { child, ended, url: await url };
}

test.each(stores)(
  "metrics are scraped from a process of their own, as they are then, on %s (ME-01, ME-04)",
  async (kind) => {
    await using project = await openProject(kind, config);
    const { child, ended, url } = await startServing(project);
    try {
      const queue = async () =>
        /teamwright_tasks\{team_id="web",column="ready"\} (\d+)/.exec(await (await fetch(url)).text())?.[1];
      expect(await queue()).toBe("0");
      await using store = await inspect(project.root);
      await store.call("task_create", { title: "Draw the page", team: "web" });
      expect(await queue()).toBe("1");
      expect((await startServing(project, new URL(url).port)).url).toContain('"CONFLICT","message":"Port');
      child.kill("SIGTERM");
      const { code, out } = await ended;
      expect([code, JSON.parse(out)]).toEqual([0, expect.objectContaining({ scrapes: 2, failures: 0 })]);
    } finally {
      child.kill("SIGKILL");
    }
  },
);
