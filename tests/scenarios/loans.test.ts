import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectSound, idsReady, newTask, nextSprint, refusal, show } from "../support/answers.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

const teams = `
teams:
  - { id: alpha, agents: [ada, abe, amy] }
  - { id: beta, agents: [bea, bob] }
  - { id: gamma, agents: [gus, gil, gry] }
ownership:
  - { paths: [alpha/**], owner: team:alpha }
  - { paths: [beta/**], owner: team:beta }
`;

const because = { reason: "beta has nobody for the schema" };

async function lend(actor: Actor, agent: string, from: string, to: string): Promise<Answer> {
  return (await actor.must("borrow_request", { agent, from, to, ...because })).loan;
}

/** What the client's own Edit of a file is answered with: the refusal, or nothing. */
async function edit(world: World, by: Actor, path: string): Promise<string | undefined> {
  const answer = await world.hook({
    event: "PreToolUse",
    agent_id: by.id,
    agent_type: "teamwright:builder",
    cwd: world.root,
    tool_name: "Edit",
    tool_use_id: `toolu_edit_${path}`,
    tool_input: JSON.stringify({ file_path: `${world.root}/${path}`, old_string: "a", new_string: "b" }),
  });
  return answer?.hookSpecificOutput?.permissionDecisionReason;
}

/** What the agent is told at a call of a shell. */
async function heard(world: World, by: Actor, event = "PreToolUse"): Promise<string> {
  const answer = await world.hook({
    event,
    agent_id: by.id,
    agent_type: "teamwright:builder",
    tool_name: "Bash",
    tool_use_id: `toolu_bash_${world.clock.now}`,
    tool_input: JSON.stringify({ command: "true" }),
  });
  return answer?.hookSpecificOutput?.additionalContext ?? "";
}

async function teamOf(actor: Actor): Promise<string> {
  return (await actor.must("brief_show")).you.team;
}

describe.each(dialects)("loans on %s", (dialect) => {
  test("a lent agent moves with board, files and channel, and everything is as before when it is back (BO-03, BO-04, BO-10)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const lead = world.lead();
    const [ada, bea] = [await world.spawn("ada"), await world.spawn("bea")];
    const mine = await newTask(lead, { title: "Tend the alpha garden", team: "alpha", scope: ["alpha/garden.ts"] });
    const done = await newTask(lead, { title: "Water the alpha garden", team: "alpha" });
    const meant = await newTask(lead, { title: "Rake the alpha garden", team: "alpha", assignee: "ada" });
    const theirs = await newTask(lead, { title: "Tend the beta garden", team: "beta" });
    await ada.must("task_claim", { id: done });
    await ada.must("board_move", { id: done, to: "review" });
    await ada.must("task_claim", { id: mine });

    const loan = await lend(lead, "ada", "alpha", "beta");
    expect(loan).toMatchObject({ status: "active", agent: "ada", home: "alpha", to: "beta", sprint: 1, due_sprint: 2 });
    // in the hands of nobody, with the reason beside it; what is handed in keeps its author
    expect(await show(lead, mine)).toMatchObject({ state: "ready" });
    expect((await lead.must("task_show", { id: mine, history: true })).comments).toMatchObject([
      { text: expect.stringContaining("ada works for team beta until sprint 2 starts") },
    ]);
    expect(await show(lead, done)).toMatchObject({ state: "in_review", holder: "ada" });

    // board
    expect(await teamOf(ada)).toBe("beta");
    expect(await refusal(ada.call("task_claim", { id: mine }))).toBe("FORBIDDEN");
    expect(await idsReady(ada)).toEqual([theirs]);
    await ada.must("task_claim", { id: theirs });
    // files: those of the host, and no longer those of its home
    expect(await edit(world, ada, "beta/x.ts")).toBeUndefined();
    expect(await edit(world, ada, "alpha/x.ts")).toContain("belongs to team:alpha");
    // channel
    await bea.must("message_send", { to: "team:beta", text: "ada, the schema is in beta/schema.ts" });
    await lead.must("message_send", { to: "team:alpha", text: "alpha meets at noon" });
    const inbox = (await ada.must("message_inbox", {})).messages.map((message: Answer) => message.text);
    expect(inbox).toContainEqual(expect.stringContaining("ada, the schema"));
    expect(inbox).not.toContainEqual(expect.stringContaining("meets at noon"));
    await ada.must("message_send", { to: "team:beta", text: "Hello, I am on loan" });
    expect(await refusal(ada.call("message_send", { to: "team:alpha", text: "Hello" }))).toBe("FORBIDDEN");
    // both teams have heard of it
    const log = (await world.person("message_list", { limit: 100 })).messages;
    const toldOn = (channel: string) =>
      log
        .filter((message: Answer) => message.to === channel)
        .map((message: Answer) => message.text)
        .join("\n");
    expect(toldOn("team:alpha")).toMatch(new RegExp(`Free again: ${mine}.*\n.*review.*${done}.*\n.*${meant}`));
    expect(toldOn("team:beta")).toContain("ada of team alpha works with you until sprint 2 starts");
    // lists
    expect((await world.person("team_list")).teams.slice(0, 2)).toMatchObject([
      { id: "alpha", members: ["abe", "amy"], borrowed_out: [{ agent: "ada", team: "beta", due_sprint: 2 }] },
      {
        id: "beta",
        members: ["bea", "bob", "ada"],
        borrowed_in: [{ agent: "ada", team: "alpha" }],
        live: ["bea", "ada"],
      },
    ]);
    expect(await world.personText("team_list")).toContain("in ada (alpha, until 2)");

    const back = await lead.must("borrow_decide", { loan: loan.id, decision: "return", reason: "the schema is done" });
    expect(back.loan).toMatchObject({ status: "returned", returned: "the schema is done" });
    expect(await teamOf(ada)).toBe("alpha");
    expect(await show(lead, theirs)).toMatchObject({ state: "ready" });
    expect(await edit(world, ada, "alpha/x.ts")).toBeUndefined();
    expect(await edit(world, ada, "beta/x.ts")).toContain("belongs to team:beta");
    expect(await refusal(ada.call("message_send", { to: "team:beta", text: "Bye" }))).toBe("FORBIDDEN");
    await ada.must("task_claim", { id: mine });
    expect((await world.person("team_list")).teams[0]).not.toHaveProperty("borrowed_out");
    await expectSound(world);
  });

  test("the rules refuse, and what is refused changes nothing and uses no slot (BO-02, BO-05, BO-06, BO-10)", async () => {
    await using world = await openWorld({
      dialect,
      config: `${teams}
models: { agents: { ada: {}, abe: { role_archetype: dev_lead }, amy: {}, bea: {}, bob: {}, gus: {}, gil: {}, gry: {} } }
coordination: { max_borrows_per_sprint: 1 }
`,
    });
    const lead = world.lead();
    const ask = async (agent: string, from: string, to: string) => {
      const { loan } = await lead.must("borrow_request", { agent, from, to, ...because });
      return loan.refused ?? loan.status;
    };
    expect(await ask("ada", "alpha", "delta")).toBe("unknown_team");
    expect(await ask("ada", "alpha", "alpha")).toBe("same_team");
    expect(await ask("ada", "beta", "gamma")).toBe("not_in_team");
    expect(await ask("zoe", "alpha", "beta")).toBe("not_in_team");
    expect(await ask("abe", "alpha", "beta")).toBe("protected_role");
    expect(await ask("bea", "beta", "alpha")).toBe("minimum_staffing");
    expect(await ask("ada", "alpha", "beta")).toBe("active");
    expect(await ask("ada", "alpha", "beta")).toBe("duplicate");
    expect(await ask("ada", "alpha", "gamma")).toBe("already_lent");
    expect(await ask("gus", "gamma", "beta")).toBe("cap");
    const { loans, total } = await world.person("borrow_list", { limit: 2 });
    expect([loans.length, total]).toEqual([2, 10]);
    expect(loans[0]).toMatchObject({ status: "refused", refused: "cap", why: expect.stringContaining("1 loans") });
    // home by way of a request: no slot is needed
    expect(await ask("ada", "beta", "alpha")).toBe("returned");
    expect(await ask("gus", "gamma", "beta")).toBe("cap");
    // who decides about people does not work in a team
    const gus = await world.spawn("gus");
    expect(await refusal(gus.call("borrow_request", { agent: "gil", from: "gamma", to: "beta", ...because }))).toBe(
      "FORBIDDEN",
    );
    expect(await refusal(lead.call("borrow_decide", { loan: "loan-none", decision: "return" }))).toBe("NOT_FOUND");
    await expectSound(world);
  });

  test("an observer lends nobody; a coordinator of no team asks (BO-06, CO-04, C-22)", async () => {
    await using world = await openWorld({
      dialect,
      config: `${teams}\ncoordination: { max_borrows_per_sprint: 0 }\n`,
    });
    const planner = await world.spawn("planner", { role: "teamwright:enablement-lead" });
    const { loan } = await planner.must("borrow_request", { agent: "ada", from: "alpha", to: "beta", ...because });
    expect(loan).toMatchObject({ refused: "cap", why: expect.stringContaining("max_borrows_per_sprint is 0") });
    expect(await refusal(planner.call("task_create", { title: "Work on a board", team: "alpha" }))).toBe("FORBIDDEN");
  });

  test("with consent by the lead a request waits for whoever leads the lender (C-22, BO-02)", async () => {
    await using world = await openWorld({ dialect, config: `${teams}\ncoordination: { consent: lead }\n` });
    const [one, two] = [world.lead("s1"), world.lead("s2")];
    const ada = await world.spawn("ada", { session: "s1" });
    await world.spawn("bea", { session: "s2" });
    const asked = await lend(two, "ada", "alpha", "beta");
    expect(asked.status).toBe("requested");
    expect(await teamOf(ada)).toBe("alpha");
    expect(await refusal(two.call("borrow_decide", { loan: asked.id, decision: "consent" }))).toBe("FORBIDDEN");
    expect(await refusal(two.call("borrow_decide", { loan: asked.id, decision: "return" }))).toBe("RULE_VIOLATED");
    expect((await world.person("message_list", { open: true })).messages).toMatchObject([
      { kind: "QUESTION", to: "lead", text: expect.stringContaining(asked.id) },
    ]);
    const prompt = await world.hook({ event: "UserPromptSubmit", session_id: "s1", prompt: "Go on." });
    expect(prompt.hookSpecificOutput.additionalContext).toContain(`borrow_decide, loan ${asked.id}`);
    const no = await one.must("borrow_decide", { loan: asked.id, decision: "refuse", reason: "ada is on call" });
    expect(no.loan).toMatchObject({ status: "refused", refused: "no_consent", why: "ada is on call" });
    expect((await world.person("message_list", {})).open).toBe(0);
    expect((await world.person("message_list", { channel: "team:beta" })).messages.at(-1).text).toContain(
      "ada is on call",
    );

    // the lender's own lead, and a person, ask and agree in one
    const own = await lend(one, "amy", "alpha", "beta");
    expect(own.status).toBe("active");
    const again = await lend(two, "gus", "gamma", "beta");
    expect((await world.person("borrow_decide", { loan: again.id, decision: "consent" })).loan.status).toBe("active");
    // what was allowed when it was asked may no longer be
    const late = await lend(two, "gil", "gamma", "beta");
    expect(late).toMatchObject({ refused: "minimum_staffing" });
    await expectSound(world);
  });

  test("an agent is sent home early by lender, borrower or a person, and by no third lead (C-22, BO-04)", async () => {
    for (const consent of ["rule", "lead"]) {
      await using world = await openWorld({ dialect, config: `${teams}\ncoordination: { consent: ${consent} }\n` });
      const [one, two, three] = [world.lead("s1"), world.lead("s2"), world.lead("s3")];
      const ada = await world.spawn("ada", { session: "s1" });
      await world.spawn("bea", { session: "s2" });
      await world.spawn("gus", { session: "s3" });
      const planner = await world.spawn("planner", { role: "teamwright:enablement-lead", session: "s3" });
      for (const who of [one, two]) {
        const loan = await lend(one, "ada", "alpha", "beta");
        const back = { loan: loan.id, decision: "return" };
        expect((await three.call("borrow_decide", back)).error).toMatchObject({
          code: "FORBIDDEN",
          next: "message_send",
        });
        expect(await refusal(planner.call("borrow_decide", back))).toBe("FORBIDDEN");
        // nor by another name for it
        const home = { agent: "ada", from: "beta", to: "alpha", ...because };
        expect(await refusal(three.call("borrow_request", home))).toBe("FORBIDDEN");
        await world.spawn("abe", { session: "s3" }); // nobody's lead by starting somebody under a name of theirs
        expect(await refusal(three.call("borrow_decide", back))).toBe("FORBIDDEN");
        expect(await teamOf(ada)).toBe("beta");
        expect((await who.must("borrow_decide", back)).loan.status).toBe("returned");
        expect(await teamOf(ada)).toBe("alpha");
      }
      await expectSound(world);
    }
  });

  test("a loan that goes on ends at home, whoever is alive (BO-03, BO-04, C-17)", async () => {
    await using world = await openWorld({
      dialect,
      config: `${teams}\ncoordination: { borrow_duration_sprints: 2, max_borrows_per_sprint: 4, min_team_size: 1 }\n`,
    });
    const lead = world.lead();
    await nextSprint(world, lead);
    const ada = await world.spawn("ada");
    expect(await lend(lead, "ada", "alpha", "beta")).toMatchObject({ sprint: 1, due_sprint: 3 });
    await nextSprint(world, lead);
    expect(await lend(lead, "ada", "beta", "gamma")).toMatchObject({ home: "alpha", from: "beta", due_sprint: 3 });
    expect(await teamOf(ada)).toBe("gamma");
    const work = await newTask(lead, { title: "Tend the gamma garden", team: "gamma" });
    await ada.must("task_claim", { id: work });
    // it crashes; a later one of its name starts where the name works
    await world.hook({ event: "SubagentStop", agent_id: ada.id });
    await world.hook({ event: "SubagentStop", agent_id: ada.id });
    const heir = await world.spawn("ada");
    expect(await teamOf(heir)).toBe("gamma");
    await heir.must("task_claim", { id: work });
    await world.hook({
      event: "PostToolUse",
      tool_name: "TaskStop",
      tool_input: JSON.stringify({ task_id: heir.id }),
      tool_response: "{}",
    });
    const { returned } = await nextSprint(world, lead);
    expect(returned).toMatchObject([{ agent: "ada", home: "alpha", returned: "sprint 3 starts" }]);
    expect(await teamOf(await world.spawn("ada"))).toBe("alpha");
    const { debt, loans } = await world.person("borrow_list");
    expect(debt).toEqual([
      { team: "alpha", lent: 2, borrowed: 0, debt: 2 },
      { team: "beta", lent: 0, borrowed: 1, debt: -1 },
      { team: "gamma", lent: 0, borrowed: 1, debt: -1 },
    ]);
    expect(loans.map((loan: Answer) => loan.velocity.sprints)).toEqual([[2], [1]]);
    await expectSound(world);
  });

  test("the agent is told that it is lent before it goes on, and again at home (BO-11)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    expect(await heard(world, ada)).not.toContain("lent");
    const loan = await lend(lead, "ada", "alpha", "beta");
    world.clock.advance(1000);
    const told = await heard(world, ada);
    expect(told).toContain("You are lent to team beta until sprint 2 starts; your home is team alpha");
    expect(told).toContain("read the conventions of team beta");
    world.clock.advance(1000);
    expect(await heard(world, ada)).not.toContain("You are lent");
    // a new start is a new memory
    const start = await world.hook({ event: "SubagentStart", agent_id: ada.id, agent_type: "teamwright:builder" });
    expect(start.hookSpecificOutput.additionalContext).toContain("You are lent to team beta");
    await lead.must("borrow_decide", { loan: loan.id, decision: "return" });
    world.clock.advance(1000);
    expect(await heard(world, ada)).toContain("Your loan to team beta is over: you work in team alpha again");
    world.clock.advance(1000);
    expect(await heard(world, ada)).not.toContain("is over");
  });

  test("a task sent back while its author is lent is free for those who are there (BO-10)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const lead = world.lead();
    const [ada, abe] = [await world.spawn("ada"), await world.spawn("abe")];
    const id = await newTask(lead, { title: "Tend the alpha garden", team: "alpha" });
    await ada.must("task_claim", { id });
    await ada.must("board_move", { id, to: "review" });
    await lend(lead, "ada", "alpha", "beta");
    await lead.must("board_move", { id, to: "in_progress", reason: "weeds are left" });
    expect(await show(lead, id)).toMatchObject({ state: "ready" });
    expect((await abe.must("task_claim", { id })).task.id).toBe(id);
    await expectSound(world);
  });

  test("two leads at once cannot lend more than the cap, nor one agent twice (BO-06)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const asks = ["beta", "gamma"].flatMap((to) =>
      ["s1", "s2", "s3"].map((session) =>
        world.lead(session).call("borrow_request", { agent: "ada", from: "alpha", to, ...because }),
      ),
    );
    const statuses = (await Promise.all(asks)).map((answer) => answer.loan.status);
    expect(statuses.filter((status) => status === "active")).toHaveLength(1);
    expect((await world.person("borrow_list", { status: "active" })).total).toBe(1);
  });

  test("whatever is lent, lent on, given back and killed: one team each at any time, and home in the end (BO-03, BO-04, TC-03)", async () => {
    const names = ["ada", "abe", "amy", "bea", "bob", "gus", "gil", "gry"];
    const ids = ["alpha", "beta", "gamma"];
    const step = fc.oneof(
      fc.record({ kind: fc.constant("lend"), agent: fc.constantFrom(...names), to: fc.constantFrom(...ids) }),
      fc.record({ kind: fc.constant("work"), agent: fc.constantFrom(...names) }),
      fc.record({ kind: fc.constantFrom("return", "sprint", "kill"), agent: fc.constantFrom(...names) }),
    );
    const config = `${teams}\ncoordination: { borrow_duration_sprints: 2, max_borrows_per_sprint: 4, min_team_size: 1 }\n`;
    const run = async (steps: readonly { kind: string; agent: string; to?: string }[]) => {
      await using world = await openWorld({ dialect, config });
      const lead = world.lead();
      const alive = new Map<string, Actor>();
      const placesNow = async () => {
        const found = (await world.person("team_list")).teams;
        const members: [string, string][] = found.flatMap((team: Answer) =>
          (team.members ?? team.agents).map((agent: string) => [agent, team.id]),
        );
        expect(members.map(([agent]) => agent).sort()).toEqual([...names].sort());
        return new Map(members);
      };
      for (const { kind, agent, to } of steps) {
        const place = (await placesNow()).get(agent) ?? "";
        if (kind === "lend") await lead.must("borrow_request", { agent, from: place, to, ...because });
        if (kind === "sprint") await nextSprint(world, lead);
        if (kind === "return") {
          const { loans } = await world.person("borrow_list", { status: "active" });
          const [first] = loans;
          if (first) await world.person("borrow_decide", { loan: first.id, decision: "return" });
        }
        if (kind === "work") {
          const actor = alive.get(agent) ?? (await world.spawn(agent));
          alive.set(agent, actor);
          expect(await teamOf(actor)).toBe(place);
          const id = await newTask(lead, { title: "Tend the garden", team: place });
          if ((await refusal(actor.call("task_claim", { id }))) === "accepted")
            expect((await show(lead, id)).team).toBe(place);
        }
        if (kind === "kill") {
          const input = JSON.stringify({ task_id: alive.get(agent)?.id ?? "nobody" });
          await world.hook({ event: "PostToolUse", tool_name: "TaskStop", tool_input: input, tool_response: "{}" });
          alive.delete(agent);
        }
      }
      for (let n = 0; n < 3; n += 1) await nextSprint(world, lead);
      expect((await world.person("borrow_list", { status: "active" })).total).toBe(0);
      for (const [agent, actor] of alive)
        expect([agent, await teamOf(actor)]).toEqual([agent, (await placesNow()).get(agent)]);
      expect((await world.person("team_list")).teams.some((team: Answer) => team.members !== undefined)).toBe(false);
      await expectSound(world);
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), run), { numRuns: 6 });
  });
});
