import { sql } from "kysely";
import { describe, expect, test, vi } from "vitest";
import { type Answer, dialects, openWorld, type World } from "../support/world.ts";

const agent_type = "teamwright:adversarial-reviewer";
const stop = (world: World, agent: string): Promise<Answer> =>
  world.hook({ event: "SubagentStop", agent_id: agent, agent_type, last_assistant_message: "Through." });

const found = async (world: World): Promise<Answer[]> =>
  (await world.person("event_list", { after: 0, limit: 5000 })).events.filter(
    (event: { type: string }) => event.type === "rule.gave_way",
  );

describe.each(dialects)("rules that cannot be checked on %s", (dialect) => {
  test("one that always fails sends its agent back three times; then the stop passes, and the lead is told (design §1.7)", async () => {
    await using world = await openWorld({ dialect });
    // the server's log has the error, as the message to the lead says; here it would look like a fault of the test
    const log = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    using _ = { [Symbol.dispose]: () => log.mockRestore() };
    const lead = world.lead();
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    const rename = (from: string, to: string) =>
      sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(world.runtime.store.db);
    await rename("review", "review_away");
    for (let tries = 0; tries < 3; tries += 1)
      expect(await stop(world, ada.id)).toMatchObject({
        decision: "block",
        reason: expect.stringContaining("verdict-from-reviewer could not be checked"),
      });
    expect(await stop(world, bob.id)).toMatchObject({ decision: "block" });
    expect(await found(world)).toEqual([]);
    expect(await stop(world, ada.id)).toBeUndefined();
    expect(await found(world)).toMatchObject([
      { subject: ada.id, after: { rule: "verdict-from-reviewer", failures: 4 } },
    ]);
    const told = async () => JSON.stringify(await lead.must("message_inbox"));
    expect(await told()).toContain(`agent ${ada.id} stopped`);
    expect(await stop(world, ada.id)).toBeUndefined(); // resumed, and stopped again
    expect(await found(world)).toHaveLength(2);
    expect(await told()).not.toContain(ada.id);
    await rename("review_away", "review");
    expect(await stop(world, ada.id)).toBeUndefined();
    await rename("review", "review_away");
    expect(await stop(world, ada.id)).toMatchObject({ decision: "block" }); // it has worked again meanwhile
    await rename("review_away", "review");
    expect(log.mock.calls.map(([text]) => String(text))).toContainEqual(
      expect.stringMatching(/^rule verdict-from-reviewer: .*review/),
    );
  });
});
