import { describe, expect, test } from "vitest";
import { claimGuard } from "../../mcp-server/src/features/task/claim.guard.ts";
import { inTransaction } from "../../mcp-server/src/kernel/execute.ts";
import { systemPrincipal } from "../../mcp-server/src/kernel/principal.ts";
import { readHookCall } from "../../mcp-server/src/surfaces/guard/hook-call.ts";
import { expectSound, LEASE_OVER, newTask, show } from "../support/answers.ts";
import { dialects, openWorld } from "../support/world.ts";

describe.each(dialects)("claims that have ended on %s", (dialect) => {
  test("who stops as its lease runs out does not take the task from whoever has it now (beads 25)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    const id = await newTask(lead, "Carry the lamp");
    await ada.must("task_claim", { id });
    const input = { event: "SubagentStop", session_id: "s1", agent_id: ada.id };
    await claimGuard().agentStopped?.({
      runtime: world.runtime,
      call: readHookCall(input),
      principal: { kind: "agent", key: `agent:${ada.id}`, name: "ada" },
      write: async (operation, work) => {
        world.clock.advance(LEASE_OVER); // between the look at what it holds and the freeing
        await bob.must("task_claim", { id });
        return inTransaction(world.runtime, { principal: systemPrincipal }, operation, work);
      },
    });
    expect((await show(lead, id)).holder).toBe("bob");
    await bob.must("task_close", { id });
    await expectSound(world);
  });
});

test("calls that were announced and never made leave those under way their names", async () => {
  await using world = await openWorld();
  const announce = (id: string) =>
    world.hook({
      event: "PreToolUse",
      tool_use_id: id,
      tool_name: "mcp__plugin_teamwright_teamwright__task_show",
    });
  for (let n = 0; n < 20_000; n += 1) await announce(`toolu_${n}`);
  await announce("toolu_new");
  expect(world.guard.take("toolu_19999", "task_show")).toBeDefined();
  expect(world.guard.take("toolu_0", "task_show")).toBeUndefined();
});

test("a binding is good for ten minutes; what was announced and never made is forgotten (design §3)", async () => {
  await using world = await openWorld();
  const tool_name = "mcp__plugin_teamwright_teamwright__task_close";
  const announce = (tool_use_id: string) => world.hook({ event: "PreToolUse", tool_use_id, tool_name });
  const take = (id: string) => world.guard.take(id, "task_close")?.key;
  await announce("toolu_prompt");
  await announce("toolu_late");
  await announce("toolu_never");
  world.clock.advance(10 * 60_000);
  expect(take("toolu_prompt")).toBe("lead:s1"); // a person may think about allowing it
  world.clock.advance(1);
  expect(take("toolu_late")).toBeUndefined();
  expect(world.guard.announced).toBe(1);
  await announce("toolu_next");
  expect(world.guard.announced).toBe(1);
  expect(take("toolu_next")).toBe("lead:s1");
});
