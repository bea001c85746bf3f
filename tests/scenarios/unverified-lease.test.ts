import { describe, expect, test } from "vitest";
import { dialects, openWorld } from "../support/world.ts";

const config = "claims: {lease_seconds: 60}\nteams:\n  - id: main\n";

/** No hook tells that a caller without a guard is alive. */
describe.each(dialects)("leases of unverified callers on %s", (dialect) => {
  test("its own calls keep the lease, reading ones too; silence ends it", async () => {
    await using world = await openWorld({ dialect, config });
    const stranger = world.stranger();
    const { task } = await stranger.must("task_create", { title: "Sweep the quay before noon" });
    await stranger.must("task_claim", { id: task.id });
    for (let turn = 0; turn < 4; turn += 1) {
      world.clock.advance(45_000);
      expect((await stranger.must("brief_show")).holding).toMatchObject([{ id: task.id }]);
    }
    world.clock.advance(61_000);
    expect((await stranger.must("brief_show")).holding).toEqual([]);
    expect((await stranger.call("task_close", { id: task.id })).error.code).toBe("FORBIDDEN");
  });
});
