import { describe, expect, test } from "vitest";
import { dialects, openWorld } from "../support/world.ts";

describe.each(dialects)("the change feed on %s", (dialect) => {
  test("waits for the next event and goes on from the cursor", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    await lead.must("task_create", { title: "Before anybody looks" });
    const { cursor, last } = await world.person("event_list");
    expect(cursor).toBe(last);
    expect((await world.person("event_list", { after: cursor })).events).toEqual([]);
    const waiting = world.person("event_list", { after: cursor, wait_seconds: 20 });
    const { task } = await lead.must("task_create", { title: "While somebody waits" });
    const news = await waiting;
    expect(news.events).toMatchObject([{ seq: cursor + 1, type: "task.created", subject: task.id, by: "lead" }]);
    expect(news.cursor).toBe(cursor + 1);
    expect((await world.person("event_list", { after: news.cursor, wait_seconds: 0.05 })).events).toEqual([]);
  });
});
