import { describe, expect, test } from "vitest";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute } from "../../mcp-server/src/kernel/execute.ts";
import { dialects, openWorld } from "../support/world.ts";

describe.each(dialects)("ids on %s", (dialect) => {
  test("an id that is taken is drawn again, and the call is one change", async () => {
    await using world = await openWorld({ dialect });
    let drawn = 0;
    const random = (bytes: number) => {
      drawn += 1;
      return new Uint8Array(bytes).fill(drawn <= 3 ? 7 : drawn); // three times the same
    };
    const create = findOperation("task_create");
    if (!create) throw new Error("no task_create");
    const principal = { kind: "human", key: "human:ada", name: "ada" } as const;
    const ids = [];
    for (const title of ["Draw the first page", "Draw the second page"]) {
      const { task } = (await execute({ ...world.runtime, random }, create, { title }, { principal })) as {
        task: { id: string };
      };
      ids.push(task.id);
    }
    expect(new Set(ids).size).toBe(2);
    expect((await world.person("task_list", {})).total).toBe(2);
    expect((await world.person("event_list", {})).events).toHaveLength(2);
  });
});
