import { describe, expect, test } from "vitest";
import { twoTeams } from "../support/teams.ts";
import { dialects, openWorld } from "../support/world.ts";

describe.each(dialects)("tasks on %s", (dialect) => {
  test("a task goes from creation to done and frees what waited for it", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const plan = await lead.must("task_create", {
      tasks: [
        { ref: "a", title: "Write the parser", acceptance: "it parses", scope: ["src/parse.ts"] },
        { ref: "b", title: "Use the parser", acceptance: "it is used", scope: ["src/use.ts"], blocked_by: ["a"] },
      ],
    });
    const [first, second] = plan.tasks;
    expect([first.state, second.state]).toEqual(["ready", "open"]);
    expect((await lead.must("task_ready")).tasks.map((task: { id: string }) => task.id)).toEqual([first.id]);

    const ada = await world.spawn("ada");
    const claim = await ada.must("task_claim");
    expect(claim.task).toMatchObject({ id: first.id, state: "in_progress", holder: "ada" });
    expect(claim.fence).toBe(1);
    const closed = await ada.must("task_close", { id: first.id, reason: "done" });
    expect(closed.unblocked).toMatchObject([{ id: second.id, state: "ready" }]);
    expect((await world.person("doctor_check")).checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
  });

  test("only the holder changes or closes a claimed task, whatever ids another knows (theft)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const { task } = await lead.must("task_create", { title: "Guard the treasure" });
    const ada = await world.spawn("ada");
    const bob = await world.spawn("bob");
    const { fence } = await ada.must("task_claim", { id: task.id });
    expect((await bob.call("task_claim", { id: task.id })).error).toMatchObject({ code: "CONFLICT" });
    expect((await bob.call("task_close", { id: task.id, fence })).error).toMatchObject({ code: "FORBIDDEN" });
    expect((await bob.call("task_update", { id: task.id, release: "mine now" })).error).toMatchObject({
      code: "FORBIDDEN",
    });
    expect((await bob.call("board_move", { id: task.id, to: "review" })).error).toMatchObject({ code: "FORBIDDEN" });
    expect((await ada.must("task_show", { id: task.id })).task.holder).toBe("ada");
  });

  test("an expired lease frees the task and the late writer is fenced off", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const { task } = await lead.must("task_create", { title: "Sleep on it" });
    const ada = await world.spawn("ada");
    const bob = await world.spawn("bob");
    const first = await ada.must("task_claim", { id: task.id });
    world.clock.advance(901_000);
    const second = await bob.must("task_claim", { id: task.id });
    expect(second.fence).toBe(first.fence + 1);
    expect((await ada.call("task_close", { id: task.id, fence: first.fence })).error).toMatchObject({
      code: "CONFLICT",
    });
  });

  test("boards are apart and limits hold across teams", async () => {
    await using world = await openWorld({ dialect, config: twoTeams });
    const lead = world.lead();
    for (const title of ["Alpha one job", "Alpha two job", "Alpha three job"])
      await lead.must("task_create", { title, team: "alpha" });
    const { task: other } = await lead.must("task_create", { title: "Beta one job", team: "beta" });
    const ada = await world.spawn("ada");
    expect((await ada.call("board_show", { team: "beta" })).error).toMatchObject({ code: "FORBIDDEN" });
    expect((await ada.call("task_show", { id: other.id })).error).toMatchObject({ code: "FORBIDDEN" });
    const abe = await world.spawn("abe");
    await ada.must("task_claim");
    await abe.must("task_claim");
    const abel = await world.spawn("abe");
    expect((await abel.call("task_claim")).error).toMatchObject({ code: "OVER_LIMIT" });
  });
});
