import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqlite } from "../../mcp-server/src/store/sqlite.ts";
import { Guard } from "../../mcp-server/src/surfaces/guard/guard.ts";
import { newTask } from "../support/answers.ts";
import { openWorld } from "../support/world.ts";

test("on a store that cannot be written an agent is known as far as it goes, and may read", async () => {
  await using world = await openWorld();
  await newTask(world.lead(), "Read the log book");
  const ada = await world.spawn("ada");
  const store = openSqlite({
    path: join(world.root, ".teamwright", "state.db"),
    synchronous: "normal",
    readOnly: true,
  });
  try {
    expect(store.readOnly).toMatch(/only reading works/);
    const guard = new Guard({ ...world.runtime, config: world.runtime.config, store });
    const hook = (event: string, agent_id: string, more = {}) =>
      guard.decide({ event, session_id: "s1", agent_id, agent_type: "teamwright:builder", ...more });
    const tool_name = "mcp__plugin_teamwright_teamwright__task_show";
    for (const id of [ada.id, "anew7c1"]) {
      expect(await hook("SubagentStart", id)).toBeUndefined();
      expect(await hook("PreToolUse", id, { tool_name, tool_use_id: `toolu_${id}` })).toBeUndefined();
      expect(await hook("SubagentStop", id)).toBeUndefined();
    }
    expect(guard.take(`toolu_${ada.id}`, "task_show")).toMatchObject({ kind: "agent", name: "ada" });
    expect(guard.take("toolu_anew7c1", "task_show")).toMatchObject({ kind: "agent", key: "agent:anew7c1" });
  } finally {
    await store.close();
  }
});
