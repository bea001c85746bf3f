import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { refusedWrite } from "../support/files.ts";
import { dialects, openWorld } from "../support/world.ts";

const config = `teams:
  - { id: alpha, agents: [abe] }
  - { id: beta, agents: [bob] }
`;

describe.each(dialects)("the session of one team of an experiment on %s", (dialect) => {
  beforeEach(() => {
    vi.stubEnv("TEAMWRIGHT_EXPERIMENT_SESSION", "id /project");
    vi.stubEnv("TEAMWRIGHT_EXPERIMENT_TEAM", "alpha");
  });
  afterEach(() => vi.unstubAllEnvs());

  test("reaches no other team's cards, agents or settings, whatever its model says (KB-01, TC-03, FO-03)", async () => {
    await using world = await openWorld({ dialect, config });
    for (const team of ["alpha", "beta"]) await world.person("task_create", { tasks: [{ title: `Of ${team}`, team }] });
    const lead = world.lead();
    expect(await lead.call("task_claim", { team: "beta" })).toMatchObject({ error: { code: "FORBIDDEN" } });
    await lead.must("task_claim", { team: "alpha" });
    const nobody = await world.spawn("somebody"); // in no team's list
    expect(await nobody.call("task_claim", { team: "beta" })).toMatchObject({ error: { code: "FORBIDDEN" } });

    const start = async (name: string) => {
      const tool_input = JSON.stringify({ name, description: name, prompt: "Do it." });
      const call = { session_id: "s1", agent_id: "", tool_name: "Agent", tool_use_id: `toolu_${name}`, tool_input };
      return (await world.hook({ event: "PreToolUse", ...call }))?.hookSpecificOutput?.permissionDecisionReason;
    };
    expect(await start("bob")).toContain("bob works in team beta, and this is the session of alpha");
    expect(await start("abe")).toBeUndefined();
    expect(await refusedWrite(world, lead, "teamwright.yaml")).toContain("no agent writes it");
  });
});
