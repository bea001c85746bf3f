import { describe, expect, test } from "vitest";
import { expectSound, refusal } from "../support/answers.ts";
import { type Answer, dialects, openWorld } from "../support/world.ts";

const homes = { alpha: ["ada", "abe", "amy"], beta: ["bea", "bob"], gamma: ["gus", "gil", "gry"] };
const teams = Object.keys(homes);
const lines = Object.entries(homes)
  .map(([id, names]) => `  - { id: ${id}, agents: [${names.join(", ")}] }`)
  .join("\n");
const settings = "coordination: { enabled: true, max_borrows_per_sprint: 3, min_team_size: 1 }";

describe.each(dialects)("loans, sprints and stories at once on %s", (dialect) => {
  test("everything at once: nobody is stuck, lost or in two places, and all are home in the end (BO-03, BO-04, PF-08)", async () => {
    await using world = await openWorld({
      dialect,
      config: `teams:\n${lines}\n${settings}`,
    });
    const stories = JSON.stringify(Array.from({ length: 40 }, (_, i) => ({ id: `US-${i}`, title: `Moor ship ${i}` })));
    const files = { read: async () => stories, write: async () => {} };
    await world.person("portfolio_load", { file: "backlog.json" }, files);
    const agents = await Promise.all(
      Object.values(homes)
        .flat()
        .map((name) => world.spawn(name)),
    );
    const leads = ["s1", "s2", "s3"].map((session) => world.lead(session));
    const allowed = ["accepted", "RULE_VIOLATED", "FORBIDDEN", "CONFLICT", "OVER_LIMIT", "NOT_FOUND"];
    for (let round = 0; round < 4; round += 1) {
      const calls = leads.flatMap((lead, i) => [
        ...Object.entries(homes).map(([from, names]) =>
          lead.call("borrow_request", {
            agent: names[(round + i) % names.length],
            from,
            to: teams[(i + round) % 3],
            reason: "beta has nobody for the schema",
          }),
        ),
        lead.call("portfolio_distribute"),
        lead.call("coordination_begin", {}),
        lead.call("sprint_start"),
      ]);
      const working = agents.map((agent) => agent.call("task_claim", {}));
      const codes = await Promise.all([...calls, ...working].map((call) => refusal(call)));
      expect(codes.filter((code) => !allowed.includes(code))).toEqual([]);
      const { teams: found } = await world.person("team_list");
      const members = found.flatMap((team: Answer) => team.members ?? team.agents);
      expect(members.sort()).toEqual(Object.values(homes).flat().sort());
    }
    for (let n = 0; n < 2; n += 1) {
      await world.person("sprint_end").catch(() => undefined);
      await leads[0]?.call("coordination_begin", {});
      await leads[0]?.must("sprint_start");
    }
    expect((await world.person("borrow_list", { status: "active" })).total).toBe(0);
    for (const agent of agents) {
      const { you } = await agent.must("brief_show");
      expect(homes[you.team as keyof typeof homes]).toContain(you.name);
    }
    expect((await world.person("borrow_list", { status: "returned" })).total).toBeGreaterThan(0);
    const given = (await world.person("portfolio_show", { status: "assigned", limit: 100 })).stories;
    expect((await world.person("task_list", { limit: 1 })).total).toBe(given.length);
    await expectSound(world);
  });
});
