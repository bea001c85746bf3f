import { describe, expect, test } from "vitest";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute } from "../../mcp-server/src/kernel/execute.ts";
import { newTask, personRefusal } from "../support/answers.ts";
import { twoTeams } from "../support/teams.ts";
import { dialects, openWorld, type World } from "../support/world.ts";

/** A call of a process that nobody vouches for, each with a store connection's name of its own. */
function callFrom(world: World, process: string, client: string, input: Record<string, unknown>) {
  const operation = findOperation("task_create");
  if (!operation) throw new Error("no task_create");
  const principal = { kind: "unverified", key: `unverified:${process}`, name: client } as const;
  return execute(world.runtime, operation, input, { principal });
}

describe.each(dialects)("finding work on %s", (dialect) => {
  test("the next task of several teams is one of a team that has room; with none the limit says so (KB-04)", async () => {
    await using world = await openWorld({ dialect, config: twoTeams });
    const lead = world.lead();
    const [ada, abe] = [await world.spawn("ada"), await world.spawn("abe")];
    for (const title of ["Load the first cart", "Load the second cart", "Load the third cart"])
      await newTask(lead, { title, team: "alpha", priority: 0 });
    const beta = await newTask(lead, { title: "Load the last cart", team: "beta" });
    await ada.must("task_claim");
    await abe.must("task_claim");
    expect((await lead.must("task_claim")).task.id).toBe(beta);
    await lead.must("task_close", { id: beta });
    expect((await lead.call("task_claim")).error).toMatchObject({ code: "OVER_LIMIT" });
  });

  test("a retry after a restart finds the first answer by its key; another client's key is its own (BD-07)", async () => {
    await using world = await openWorld({ dialect });
    const input = { title: "Create me once", idempotency_key: "k1" };
    const first = await callFrom(world, "p1", "editor", input);
    expect(await callFrom(world, "p2", "editor", input)).toEqual(first);
    expect(await callFrom(world, "p3", "another", input)).not.toEqual(first);
    expect((await world.person("task_list")).total).toBe(2);
  });

  test("a reference that leads nowhere is named", async () => {
    await using world = await openWorld({ dialect });
    const answer = await world
      .lead()
      .call("task_create", { tasks: [{ title: "Tie the boat", blocked_by: ["tw-typo"] }] });
    expect(answer.error).toMatchObject({ code: "NOT_FOUND", message: "No task has the id tw-typo." });
  });
});

test("bd's rules count what every filter asks for, ready and blocked, and leave no flag unheard (beads 15, 16)", async () => {
  await using world = await openWorld({ config: "teams: [{ id: alpha }, { id: beta }]" });
  const lead = world.lead();
  for (const team of ["alpha", "beta"]) {
    const first = await newTask(lead, { title: `Open the ${team} gate`, team, labels: [team] });
    await newTask(lead, { title: `Pass the ${team} gate`, team, blocked_by: [first] });
  }
  const counts = async (input: Record<string, unknown>) => {
    const { total, blocked_total } = await world.person("task_ready", { rules: "beads", ...input });
    return [total, blocked_total];
  };
  expect(await counts({})).toEqual([2, 2]);
  expect(await counts({ team: "beta", limit: 1 })).toEqual([1, 1]);
  expect(await counts({ labels: ["alpha"] })).toEqual([1, 0]);
  expect(await world.personText("task_ready", { rules: "beads" })).toMatch(/^2 ready, 2 blocked\n/);
  expect(await personRefusal(world.person("task_ready", { rules: "beads", explain: true }))).toBe("INVALID_INPUT");
});

test("a search's filters hold before anything is cut off", async () => {
  await using world = await openWorld();
  const lead = world.lead();
  for (let part = 0; part < 3; part += 1)
    await lead.must("task_create", {
      tasks: Array.from({ length: 400 }, (_, n) => ({ title: `Anchor ${part} ${n}`, priority: 2 })),
    });
  const rare = await newTask(lead, {
    title: "Say in a long title with many other words that the anchor is late",
    priority: 0,
  });
  const found = await lead.must("task_list", { search: "anchor", priority: 0 });
  expect([found.total, found.tasks[0].id]).toEqual([1, rare]);
  const page = await lead.must("task_list", { search: "anchor", limit: 2, offset: 1199 });
  expect([page.total, page.tasks.length, page.tasks[1].id]).toEqual([1201, 2, rare]);
});
