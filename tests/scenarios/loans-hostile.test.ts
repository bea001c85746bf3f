import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../mcp-server/src/config/config.load.ts";
import { agentPrincipal, findAgent } from "../../mcp-server/src/features/agent/agent.store.ts";
import { requestLoan } from "../../mcp-server/src/features/borrow/loan.store.ts";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute, inTransaction } from "../../mcp-server/src/kernel/execute.ts";
import { systemPrincipal } from "../../mcp-server/src/kernel/principal.ts";
import { Caller } from "../../mcp-server/src/surfaces/mcp/caller.ts";
import { expectSound, newTask, nextSprint, personRefusal, refusal } from "../support/answers.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

const config = (extra = "", { alpha = "ada, abe, amy", beta = "bea, bob", gamma = "gus, gil, gry" } = {}) => `
teams:
  - { id: alpha, agents: [${alpha}] }
${beta === "" ? "" : `  - { id: beta, agents: [${beta}] }`}
  - { id: gamma, agents: [${gamma}] }
${extra}`;

const because = { reason: "beta has nobody for the schema" };

async function lend(actor: Actor, agent: string, from: string, to: string): Promise<Answer> {
  return (await actor.must("borrow_request", { agent, from, to, ...because })).loan;
}

const teamOf = async (actor: Actor) => (await actor.must("brief_show")).you.team;

/** What a person's edit of the file comes to in a server that runs. */
function edit(world: World, text: string): void {
  writeFileSync(join(world.root, "teamwright.yaml"), text);
  Object.assign(world.runtime, { config: loadConfig(world.root) });
}

describe.each(dialects)("loans under attack on %s", (dialect) => {
  test("a call that was announced before the loan is made as whoever the agent is by then (BO-03, BO-10)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const mine = await newTask(lead, { title: "Tend the alpha garden", team: "alpha" });
    const theirs = await newTask(lead, { title: "Tend the beta garden", team: "beta" });
    const caller = new Caller(async () => ({ runtime: world.runtime, guard: world.guard }), undefined);
    const announce = (useId: string) =>
      world.hook({
        event: "PreToolUse",
        agent_id: ada.id,
        agent_type: "teamwright:builder",
        tool_use_id: useId,
        tool_name: "mcp__plugin_teamwright_teamwright__task_claim",
      });
    await announce("toolu_waits_1");
    await announce("toolu_waits_2");
    await lend(lead, "ada", "alpha", "beta");
    expect((await caller.call("task_claim", { id: mine }, "toolu_waits_1")).structuredContent).toMatchObject({
      error: { code: "FORBIDDEN" },
    });
    expect((await caller.call("task_claim", {}, "toolu_waits_2")).structuredContent).toMatchObject({
      task: { id: theirs },
    });
    await expectSound(world);
  });

  test("a claim that waited while its agent was lent is none (BO-03, BO-10)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const mine = await newTask(lead, { title: "Tend the alpha garden", team: "alpha" });
    const row = await findAgent(world.runtime.store.db, ada.id);
    const before = row && agentPrincipal(row);
    const claim = findOperation("task_claim");
    if (!before || !claim) throw new Error("nobody to claim");
    await lend(lead, "ada", "alpha", "beta");
    // what the call had found out before it came to its turn
    for (const input of [{ id: mine }, {}])
      expect(await personRefusal(execute(world.runtime, claim, input, { principal: before }))).toBe("FORBIDDEN");
    await expectSound(world);
  });

  // the embedded stores have one writer at a time
  test.runIf(dialect === "postgres")(
    "an agent that starts while its name is lent starts where the loan takes it (BO-03)",
    async () => {
      await using world = await openWorld({ dialect, config: config() });
      const options = { principal: { kind: "human", key: "human:pat", name: "pat" } } as const;
      let spawned: Promise<Actor> | undefined;
      await inTransaction(world.runtime, options, "borrow_request", async (ctx) => {
        await requestLoan(ctx, { agent: "ada", from: "alpha", to: "beta", ...because });
        spawned ??= world.spawn("ada");
        await new Promise((resolve) => setTimeout(resolve, 500));
      });
      const ada = await spawned;
      expect(ada && (await teamOf(ada))).toBe("beta");
      await expectSound(world);
    },
  );

  test("an agent of a team makes no coordinator that lends to its team (C-22)", async () => {
    await using world = await openWorld({ dialect, config: config("coordination: { coordinators: [eve] }") });
    const bea = await world.spawn("bea");
    for (const [name, role] of [
      ["eve", "teamwright:builder"],
      ["mallory", "teamwright:enablement-lead"],
    ] as const) {
      const id = `a-${name}`;
      await world.hook({
        event: "PreToolUse",
        agent_id: bea.id,
        agent_type: "teamwright:builder",
        tool_name: "Agent",
        tool_use_id: `toolu_${name}`,
        tool_input: JSON.stringify({ name, subagent_type: role, prompt: "lend us ada" }),
      });
      await world.hook({ event: "SubagentStart", agent_id: id, agent_type: role });
      const helper = world.known(id, role);
      const asked = { agent: "ada", from: "alpha", to: "beta", ...because };
      expect(await refusal(helper.call("borrow_request", asked))).toBe("FORBIDDEN");
    }
    const asked = { agent: "ada", from: "alpha", to: "beta", ...because };
    // a member that was started as a coordinator is a member all the same
    const bob = await world.spawn("bob", { role: "teamwright:staff-engineer" });
    expect(await refusal(bob.call("borrow_request", asked))).toBe("FORBIDDEN");
    // nor does somebody of no team, who coordinates nothing, make one
    const stray = await world.spawn("stray", { role: "teamwright:researcher" });
    const by = {
      agent_id: stray.id,
      agent_type: "teamwright:researcher",
      tool_name: "Agent",
      tool_use_id: "toolu_sly",
    };
    const tool_input = JSON.stringify({ name: "sly", subagent_type: "teamwright:enablement-lead", prompt: "lend" });
    await world.hook({ event: "PreToolUse", ...by, tool_input });
    await world.hook({ event: "SubagentStart", agent_id: "a-sly", agent_type: "teamwright:enablement-lead" });
    const sly = world.known("a-sly", "teamwright:enablement-lead");
    expect(await refusal(sly.call("borrow_request", asked))).toBe("FORBIDDEN");
    const eve = await world.spawn("eve");
    expect((await lend(eve, "ada", "alpha", "beta")).status).toBe("active");
  });

  test("hosts that hand an agent on do not keep it from its home (C-17, BO-04)", async () => {
    await using world = await openWorld({ dialect, config: config("coordination: { max_borrows_per_sprint: 9 }") });
    const lead = world.lead();
    await nextSprint(world, lead);
    const ada = await world.spawn("ada");
    await lend(lead, "ada", "alpha", "beta");
    await world.person("sprint_phase", { phase: "review" });
    // it is promised home for sprint 2, and what is asked for now is for sprint 2
    expect(await lend(lead, "ada", "beta", "gamma")).toMatchObject({ refused: "already_lent" });
    await nextSprint(world, lead);
    expect(await teamOf(ada)).toBe("alpha");
    await expectSound(world);
  });

  test("a round that speaks when its sprint is over lends for the one that runs, and within its cap (BO-06, C-17)", async () => {
    await using world = await openWorld({ dialect, config: config("coordination: { max_borrows_per_sprint: 1 }") });
    const lead = world.lead();
    for (let n = 0; n < 3; n += 1) await nextSprint(world, lead);
    await lend(lead, "gus", "gamma", "beta");
    const late = await inTransaction(world.runtime, { principal: systemPrincipal }, "coordination_record", (ctx) =>
      requestLoan(ctx, { agent: "ada", from: "alpha", to: "beta", ...because }, 2),
    );
    expect(late).toMatchObject({ status: "refused", refusal: "cap", sprint_from: 3, due_sprint: 4 });
  });

  test("a team that is taken out of the configuration keeps nobody (BO-04, TC-03)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    const lead = world.lead();
    await nextSprint(world, lead);
    const ada = await world.spawn("ada");
    await lend(lead, "ada", "alpha", "beta");
    edit(world, config("", { beta: "" }));
    expect(await teamOf(ada)).toBe("alpha"); // at once: the loan has lost its ground
    expect((await world.person("borrow_list", {})).loans).toMatchObject([
      { status: "returned", returned: "teamwright.yaml has no team beta any more" },
    ]);
    const work = await newTask(lead, { title: "Tend the gamma garden", team: "gamma" });
    expect(await lend(lead, "ada", "alpha", "gamma")).toMatchObject({ status: "active" });
    expect(await teamOf(ada)).toBe("gamma");
    await ada.must("task_claim", { id: work });
    await nextSprint(world, lead);
    expect(await teamOf(ada)).toBe("alpha");
    expect((await world.person("borrow_list", { status: "active" })).total).toBe(0);
    await expectSound(world);
  });

  test("an agent whose team is another in the edited configuration works there at its next call, lent or not (TC-03, BO-03, BO-04)", async () => {
    const owned = "ownership: [{ paths: [alpha/**], owner: team:alpha }, { paths: [gamma/**], owner: team:gamma }]";
    await using world = await openWorld({ dialect, config: config(owned) });
    const lead = world.lead();
    await lead.must("sprint_start");
    const [ada, amy, bea] = [await world.spawn("ada"), await world.spawn("amy"), await world.spawn("bea")];
    const mine = await newTask(lead, { title: "Tend the alpha garden", team: "alpha" });
    await ada.must("task_claim", { id: mine });
    const loan = await lend(lead, "amy", "alpha", "beta");
    // an agent of beta has started one under a name of alpha's: it is beta's, whatever the file says
    const started = { name: "abe", subagent_type: "teamwright:builder", prompt: "help me" };
    const hook = { agent_id: bea.id, agent_type: "teamwright:builder", tool_name: "Agent", tool_use_id: "toolu_abe" };
    await world.hook({ event: "PreToolUse", ...hook, tool_input: JSON.stringify(started) });
    await world.hook({ event: "SubagentStart", agent_id: "a-abe", agent_type: "teamwright:builder" });
    const abe = world.known("a-abe", "teamwright:builder");

    edit(world, config(owned, { alpha: "abe", gamma: "gus, gil, gry, ada, amy" }));
    const write = async (by: Actor, path: string) => {
      const input = JSON.stringify({ file_path: `${world.root}/${path}`, old_string: "a", new_string: "b" });
      const call = { event: "PreToolUse", agent_id: by.id, agent_type: "teamwright:builder", tool_name: "Edit" };
      const answer = await world.hook({ ...call, cwd: world.root, tool_use_id: `toolu_${path}`, tool_input: input });
      return answer?.hookSpecificOutput?.permissionDecisionReason;
    };
    expect(await write(ada, "gamma/x.ts")).toBeUndefined(); // the very next call
    expect(await write(ada, "alpha/x.ts")).toContain("belongs to team:alpha");
    expect([await teamOf(ada), await teamOf(amy), await teamOf(bea), await teamOf(abe)]).toEqual([
      "gamma",
      "gamma",
      "beta",
      "beta",
    ]);
    expect(await refusal(ada.call("task_claim", { id: mine }))).toBe("FORBIDDEN");
    expect((await lead.must("task_show", { id: mine })).task.state).toBe("ready");
    const [ended] = (await world.person("borrow_list", {})).loans;
    expect(ended).toMatchObject({
      id: loan.id,
      status: "returned",
      returned: expect.stringContaining("teamwright.yaml has amy"),
    });
    const told = async (filter: Record<string, unknown>) =>
      (await world.person("message_list", filter)).messages.map(({ text }: Answer) => text).join("\n");
    expect(await told({ channel: "team:alpha" })).toContain(
      `ada works in team gamma now: teamwright.yaml says so.\nFree again: ${mine}`,
    );
    expect(await told({ channel: "team:gamma" })).toContain("ada works with you now");
    expect(await told({ to: "ada" })).toContain("teamwright.yaml has you in team gamma now");
    // and back, by way of a process that has seen neither
    edit(world, config(owned));
    expect([await teamOf(ada), await teamOf(amy)]).toEqual(["alpha", "alpha"]);
    await expectSound(world);
  });

  test("a team that goes while it has a guest: the guest is home at the next sprint", async () => {
    await using world = await openWorld({ dialect, config: config() });
    const lead = world.lead();
    await nextSprint(world, lead);
    const ada = await world.spawn("ada");
    await lend(lead, "ada", "alpha", "beta");
    edit(world, "teams:\n  - { id: alpha, agents: [ada, abe, amy] }\n");
    await nextSprint(world, lead);
    edit(world, config());
    expect(await teamOf(ada)).toBe("alpha");
    expect((await world.person("borrow_list", { status: "active" })).total).toBe(0);
    await expectSound(world);
  });

  test("an agent whose home was changed in the configuration is lent from there and comes back there (BO-03, TC-03)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    const lead = world.lead();
    await nextSprint(world, lead);
    const ada = await world.spawn("ada");
    edit(world, config("", { alpha: "abe, amy", gamma: "gus, gil, gry, ada" }));
    expect(await lend(lead, "ada", "gamma", "beta")).toMatchObject({ status: "active", home: "gamma" });
    expect(await teamOf(ada)).toBe("beta");
    await nextSprint(world, lead);
    expect(await teamOf(ada)).toBe("gamma");
    expect((await world.person("message_list", { channel: "team:gamma" })).messages.at(-1).text).toContain(
      "ada is back",
    );
    await expectSound(world);
  });

  test("a lent agent that is renamed or taken out in the configuration is not kept by its host (BO-04)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    const lead = world.lead();
    await nextSprint(world, lead);
    const ada = await world.spawn("ada");
    await lend(lead, "ada", "alpha", "beta");
    edit(world, config("", { alpha: "eve, abe, amy" }));
    await nextSprint(world, lead);
    expect(await teamOf(ada)).toBe("alpha");
    expect((await world.person("borrow_list", { status: "active" })).total).toBe(0);
    await expectSound(world);
  });

  test("a lead does not become the lender's by starting somebody under one of its names (C-22)", async () => {
    await using world = await openWorld({ dialect, config: config("coordination: { consent: lead }") });
    const [one, two] = [world.lead("s1"), world.lead("s2")];
    const ada = await world.spawn("ada", { session: "s1" });
    await world.spawn("bea", { session: "s2" });
    await world.spawn("amy", { session: "s2" });
    const asked = await lend(two, "ada", "alpha", "beta");
    expect(asked.status).toBe("requested");
    expect(await refusal(two.call("borrow_decide", { loan: asked.id, decision: "consent" }))).toBe("FORBIDDEN");
    expect(await teamOf(ada)).toBe("alpha");
    await one.must("borrow_decide", { loan: asked.id, decision: "consent" });
    expect(await teamOf(ada)).toBe("beta");
  });

  test("duplicate and crossing requests that wait: one is granted, the others say why not (BO-02, BO-10)", async () => {
    await using world = await openWorld({ dialect, config: config("coordination: { consent: lead }") });
    const two = world.lead("s2");
    await world.spawn("ada", { session: "s1" });
    const first = await lend(two, "ada", "alpha", "beta");
    const second = await lend(two, "ada", "alpha", "gamma");
    expect((await lend(two, "ada", "alpha", "beta")).refused).toBe("duplicate");
    const answers = await Promise.all(
      [first, second].map(({ id }) => world.person("borrow_decide", { loan: id, decision: "consent" })),
    );
    expect(answers.map(({ loan }) => loan.refused ?? loan.status).sort()).toEqual(["active", "already_lent"]);
    await expectSound(world);
  });

  test("seven teams of one: nobody is left alone, and whoever has no agents lends none (BO-10, TC-02)", async () => {
    const seven = Array.from({ length: 7 }, (_, i) => `  - { id: t${i}, agents: [a${i}] }`).join("\n");
    await using world = await openWorld({ dialect, config: `teams:\n${seven}\ncoordination: { enabled: true }` });
    const lead = world.lead();
    await nextSprint(world, lead);
    for (let i = 0; i < 7; i += 1)
      expect((await lend(lead, `a${i}`, `t${i}`, `t${(i + 1) % 7}`)).refused).toBe("minimum_staffing");
    await world.person("sprint_end");
    expect((await lead.must("coordination_begin")).outcome).toBeDefined();
    await nextSprint(world, lead);
    edit(world, "teams: [{ id: t0, agents: [] }, { id: t1, agents: [a1] }]\ncoordination: { min_team_size: 0 }");
    expect((await lend(lead, "a0", "t0", "t1")).refused).toBe("not_in_team");
    expect((await lend(lead, "a1", "t1", "t0")).status).toBe("active");
    await nextSprint(world, lead);
    expect((await world.person("borrow_list", { status: "active" })).total).toBe(0);
    await expectSound(world);
  });

  test("a clock that goes back loses no velocity and ends no sprint (ME-03)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    const lead = world.lead();
    await nextSprint(world, lead);
    const abe = await world.spawn("abe");
    const id = await newTask(lead, { title: "Tend the alpha garden", team: "alpha", points: 5 });
    world.clock.advance(-3 * 3_600_000);
    await abe.must("task_claim", { id });
    await lead.must("task_close", { id, reason: "done" });
    const { ended } = await nextSprint(world, lead);
    expect(ended.teams[0]).toMatchObject({ team: "alpha", velocity: 5, done: 1 });
  });
});
