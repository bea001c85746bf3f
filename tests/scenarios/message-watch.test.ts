import { expect, test } from "vitest";
import { watchMessages } from "../../mcp-server/src/surfaces/guard/watch.ts";
import { openWorld } from "../support/world.ts";

const EVERY_MS = 600;

test("the monitor says one line for a batch of urgent messages, each once, and only for what is unread (MB-08)", async () => {
  await using world = await openWorld({ config: "guard: on\n" });
  const lead = world.lead();
  const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
  const said: { line: string; at: number }[] = [];
  let isWanted = true;
  await ada.must("message_send", { to: "lead", text: "SECRET read already", kind: "BLOCKER" });
  await lead.must("message_inbox");
  const watching = watchMessages({
    start: world.root,
    session: "s1",
    write: (line) => void said.push({ line, at: performance.now() }),
    isWanted: () => isWanted,
    everyMs: EVERY_MS,
    settleMs: 150,
  });
  const lines = async (count: number) => {
    await expect.poll(() => said.length, { timeout: 10_000, interval: 20 }).toBe(count);
    return said.map(({ line }) => line);
  };
  await ada.must("message_send", { to: "lead", text: "all is well" });
  await ada.must("message_send", { to: "lead", text: "SECRET one", kind: "BLOCKER" });
  await bob.must("message_send", { to: "team:main", text: "SECRET two", kind: "QUESTION" });
  expect(await lines(1)).toEqual([
    "2 urgent messages wait: BLOCKER from ada, QUESTION from bob. message_inbox shows them.",
  ]);
  await ada.must("message_send", { to: "lead", text: "SECRET three", kind: "BLOCKER" });
  await ada.must("message_send", { to: "lead", text: "SECRET four", kind: "QUESTION" });
  expect((await lines(2)).at(-1)).toMatch(/^2 urgent messages wait: /);
  expect((said[1]?.at ?? 0) - (said[0]?.at ?? 0)).toBeGreaterThanOrEqual(EVERY_MS);
  // what the lead reads before its line is due needs none
  await ada.must("message_send", { to: "lead", text: "SECRET five", kind: "BLOCKER" });
  await lead.must("message_inbox");
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS * 3));
  expect(said).toHaveLength(2);
  expect(said.map(({ line }) => line).join()).not.toContain("SECRET");
  isWanted = false;
  await watching;
}, 30_000);
