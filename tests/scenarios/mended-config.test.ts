import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Caller } from "../../mcp-server/src/surfaces/mcp/caller.ts";
import { Project } from "../../mcp-server/src/surfaces/mcp/project.ts";

/** The store is opened from the configuration itself here, so that it is the embedded one always. */
test("a guard of a server that started on a broken configuration works once it is mended", async () => {
  const start = mkdtempSync(join(tmpdir(), "teamwright-mend-"));
  const file = join(start, "teamwright.yaml");
  writeFileSync(file, "teams: nobody\n");
  const project = new Project({ start, defaultIdentity: "strict", hasGuard: true });
  const caller = new Caller(() => project.open(), undefined);
  const call = async (useId: string) => {
    const hook = { event: "PreToolUse", session_id: "s1", tool_use_id: useId };
    const decided = await caller.guardCall({
      ...hook,
      tool_name: "mcp__plugin_teamwright_teamwright__task_create",
    });
    return { decided, answer: await caller.call("task_create", { title: "Mend the fence" }, useId) };
  };
  const before = await call("toolu_1");
  for (const told of [before.decided, before.answer])
    expect(told).toMatchObject({ isError: true, structuredContent: { error: { code: "INVALID_INPUT" } } });

  writeFileSync(file, "teams: [{ id: solo }]\n");
  const after = await call("toolu_2");
  expect(after.decided).toEqual({ content: [{ type: "text", text: "" }] });
  // strict identity refuses whoever the guard has not bound
  expect(after.answer).toMatchObject({ structuredContent: { task: { team: "solo" } } });

  const opened = await project.opened();
  if (opened) await caller.leave(opened, "s1");
  await opened?.close();
  rmSync(start, { recursive: true, force: true });
});

test("who may write follows the file as soon as it changes, and the default when the file says nothing", async () => {
  const start = mkdtempSync(join(tmpdir(), "teamwright-strict-"));
  const file = join(start, "teamwright.yaml");
  const project = new Project({ start, defaultIdentity: "advisory", hasGuard: false });
  const caller = new Caller(() => project.open(), undefined);
  const create = async () =>
    (await caller.call("task_create", { title: "Mend the fence" }, undefined)).isError === true;
  expect(await create()).toBe(false);
  writeFileSync(file, "identity: strict\n");
  expect(await create()).toBe(true);
  writeFileSync(file, "identity: advisory # again\n");
  expect(await create()).toBe(false);

  const opened = await project.opened();
  if (opened) await caller.leave(opened, undefined);
  await opened?.close();
  rmSync(start, { recursive: true, force: true });
});
