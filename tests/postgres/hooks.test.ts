import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute } from "../../mcp-server/src/kernel/execute.ts";
import { inspect } from "../support/inspect.ts";
import { cleanEnvironment, ensureBuilt, node, openProject, type Project } from "../support/processes.ts";

async function hook(project: Project, name: string): Promise<string> {
  const { server } = await ensureBuilt();
  return new Promise((resolve) => {
    const options = { cwd: project.root, env: cleanEnvironment() };
    const child = execFile(node, [...server, "hook", name], options, (_, out, err) => resolve(out + err));
    child.stdin?.end(JSON.stringify({ session_id: "s1", reason: "logout" }));
  });
}

describe("the client's session hooks on postgres", () => {
  test("a session begins with a line on the work there is, and its end frees what its lead holds", async () => {
    await using project = await openProject("postgres");
    await using store = await inspect(project.root);
    const [id] = await store.seed(2);
    // nothing of an embedded store is there to tell that Teamwright is in use
    rmSync(join(project.root, ".teamwright"), { recursive: true, force: true });
    expect(await hook(project, "session-start")).toContain("Teamwright holds 2 unfinished tasks");
    const claim = findOperation("task_claim");
    if (!claim) throw new Error("no task_claim");
    const principal = { kind: "lead", key: "lead:s1", name: "lead", session: "s1" } as const;
    await execute(store.runtime, claim, { id }, { principal });
    expect((await store.call("task_ready")).total).toBe(1);
    expect(await hook(project, "session-end")).toBe("");
    expect((await store.call("task_ready")).total).toBe(2);
  });
});
