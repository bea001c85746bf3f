import { describe, expect, test } from "vitest";
import { Guard } from "../../mcp-server/src/surfaces/guard/guard.ts";
import { openRun } from "../support/runs.ts";
import { type Actor, dialects, openWorld, type World } from "../support/world.ts";

const on = "bridge: on\ngates: []\n";

interface Who {
  readonly session?: string;
  readonly agent?: Actor;
}

let uses = 0;

/** The client's own list, with the hooks it sends: each call before and after, an event between, which names no agent. */
function listOf(world: World, { session = "s1", agent }: Who = {}) {
  const caller = agent ? { agent_id: agent.id, agent_type: "teamwright:builder" } : {};
  const hook = (event: string, fields: Record<string, unknown>) =>
    world.hook({ event, session_id: session, ...fields });
  const tool = async (
    name: string,
    input: Record<string, unknown>,
    answer: Record<string, unknown>,
    between?: () => Promise<{ decision?: string; reason?: string } | undefined>,
  ): Promise<{ refused?: string; heard?: string }> => {
    uses += 1;
    const call = {
      ...caller,
      tool_name: name,
      tool_use_id: `toolu_c${uses}`,
      tool_input: JSON.stringify(input),
    };
    const before = await hook("PreToolUse", call);
    const denied = before?.hookSpecificOutput?.permissionDecisionReason;
    if (denied) return { refused: denied };
    const event = await between?.();
    if (event?.decision === "block") return { refused: event.reason ?? "" };
    const after = await hook("PostToolUse", { ...call, tool_response: JSON.stringify(answer) });
    return { heard: after?.hookSpecificOutput?.additionalContext };
  };
  const event = (name: string, id: string, subject: string, description = "") =>
    hook(name, { task_id: id, task_subject: subject, task_description: description });
  return {
    event,
    before: (name: string, input: Record<string, unknown>) =>
      hook("PreToolUse", { ...caller, tool_name: name, tool_use_id: "toolu_b", tool_input: JSON.stringify(input) }),
    create: (id: string, subject: string, rest: { description?: string; metadata?: Record<string, unknown> } = {}) =>
      tool("TaskCreate", { subject, ...rest }, { task: { id, subject } }, () =>
        event("TaskCreated", id, subject, rest.description),
      ),
    set: (id: string, status: string, subject = "") =>
      tool(
        "TaskUpdate",
        { taskId: id, status },
        { success: true, taskId: id, updatedFields: ["status"], statusChange: { from: "pending", to: status } },
        async () => (status === "completed" ? event("TaskCompleted", id, subject) : undefined),
      ),
    change: (id: string, input: Record<string, unknown>) =>
      tool("TaskUpdate", { taskId: id, ...input }, { success: true, taskId: id, updatedFields: Object.keys(input) }),
    show: (tasks: readonly { id: string; subject: string; status: string }[]) => tool("TaskList", {}, { tasks }),
    prompt: async (): Promise<string> =>
      (await hook("UserPromptSubmit", { prompt: "go on" }))?.hookSpecificOutput?.additionalContext ?? "",
  };
}

const allTasks = async (world: World) => (await world.person("task_list")).tasks;
const pairs = async (world: World, differences = false) =>
  (await world.person("bridge_list", { differences })).pairs as {
    client: string;
    session: string;
    there: string;
    task?: string;
    here?: string;
    origin?: string;
    difference?: string;
  }[];
const state = async (actor: Actor, id: string) => (await actor.must("task_show", { id })).task.state;

for (const dialect of dialects) {
  describe(`the bridge to the client's list on ${dialect}`, () => {
    test("it is off unless the project switches it on", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const list = listOf(world);
      expect(await list.create("1", "Write the parser")).toEqual({});
      expect(await list.set("1", "completed", "Write the parser")).toEqual({});
      expect(await pairs(world)).toEqual([]);
      expect((await world.person("bridge_list")).bridge).toBe("off");
    });

    test("a client task is linked to the task it names, and made durable when it names none (BD-01, BD-02)", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const list = listOf(world);
      const made = (await lead.must("task_create", { title: "Write the parser" })).task.id as string;
      const other = (await lead.must("task_create", { title: "Write the printer" })).task.id as string;
      const foreign = (await lead.must("task_create", { title: "Write the lexer", external_ref: "bd-77" })).task
        .id as string;
      expect((await list.create("1", "WU-001: parser", { metadata: { beads_id: made } })).heard).toContain(
        `#1 stands for ${made}`,
      );
      expect((await list.create("2", `Printer (${other})`)).heard).toContain(`#2 stands for ${other}`);
      expect((await list.create("3", "Lexer", { metadata: { beads_id: "bd-77" } })).heard).toContain(foreign);
      const heard = (await list.create("4", "Sweep the floor", { description: "All of it." })).heard ?? "";
      const fresh = /kept as (\S+):/.exec(heard)?.[1] ?? "";
      const { task } = await lead.must("task_show", { id: fresh });
      expect(task).toMatchObject({ title: "Sweep the floor", state: "ready", created_by: "lead" });
      expect(task.description).toContain("All of it.");
      const unknown = await list.create("5", "Imported some day", { metadata: { beads_id: "bd-404" } });
      expect(unknown.heard).toContain("#5 is kept as");
      expect((await pairs(world)).map(({ client, task: key, origin }) => [client, key, origin])).toEqual([
        ["5", expect.any(String), "created"],
        ["4", fresh, "created"],
        ["3", foreign, "linked"],
        ["2", other, "linked"],
        ["1", made, "linked"],
      ]);
      expect(await allTasks(world)).toHaveLength(5);
    });

    test("repeated hooks, another session's numbers and a restart create nothing twice (BD-07)", async () => {
      await using world = await openWorld({ dialect, config: on });
      const list = listOf(world);
      await list.create("1", "Write the parser");
      await list.event("TaskCreated", "1", "Write the parser");
      await list.create("1", "Write the parser");
      await Promise.all([list.create("2", "Write the printer"), list.create("2", "Write the printer")]);
      expect(await allTasks(world)).toHaveLength(2);
      const second = listOf(world, { session: "s2" });
      await second.create("1", "Write the docs");
      expect((await pairs(world)).map(({ session, client }) => `${session}#${client}`)).toEqual([
        "s2#1",
        "s1#2",
        "s1#1",
      ]);
      expect(await allTasks(world)).toHaveLength(3);
      // a number of a finished list that the client gives out again is another task
      await list.set("1", "completed", "Write the parser");
      await list.create("1", "Write the lexer");
      expect((await allTasks(world)).map((task: { title: string }) => task.title).sort()).toEqual([
        "Write the docs",
        "Write the lexer",
        "Write the parser",
        "Write the printer",
      ]);
    });

    test("two calls with one subject keep their own metadata", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const list = listOf(world);
      const one = (await lead.must("task_create", { title: "First half" })).task.id as string;
      const two = (await lead.must("task_create", { title: "Second half" })).task.id as string;
      await Promise.all([
        list.create("1", "Half", { metadata: { teamwright_id: one } }),
        list.create("2", "Half", { metadata: { teamwright_id: two } }),
      ]);
      const linked = Object.fromEntries((await pairs(world)).map(({ client, task }) => [client, task]));
      expect(linked).toEqual({ 1: one, 2: two });
      expect(await allTasks(world)).toHaveLength(2);
    });

    test("metadata that comes later wins over the task made meanwhile, which is closed as a duplicate", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const list = listOf(world);
      const real = (await lead.must("task_create", { title: "Write the parser" })).task.id as string;
      await list.create("1", "The parser");
      const ada = await world.spawn("ada");
      await listOf(world, { agent: ada }).change("1", { metadata: { teamwright_id: real } });
      expect((await pairs(world))[0]).toMatchObject({ origin: "created" });
      await list.change("1", { metadata: { teamwright_id: real } });
      const [pair] = await pairs(world);
      expect(pair).toMatchObject({ task: real, origin: "linked" });
      const made = (await allTasks(world)).find((task: { title: string }) => task.title === "The parser");
      expect((await lead.must("task_show", { id: made.id })).task).toMatchObject({ outcome: "duplicate" });
    });

    test("in_progress claims nothing; the holder's completion closes, an obstacle hands in (BD-02, C-10)", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const id = (await lead.must("task_create", { title: "Write the parser" })).task.id as string;
      const ada = await world.spawn("ada", { prompt: `Do ${id}` });
      const hers = listOf(world, { agent: ada });
      await listOf(world).create("1", "Parser", { metadata: { teamwright_id: id } });
      await hers.set("1", "in_progress");
      expect(await state(lead, id)).toBe("ready");
      expect((await pairs(world))[0]).toMatchObject({ there: "in_progress", here: "open" });
      expect((await hers.set("1", "completed", "Parser")).refused).toContain(`You do not hold ${id}: task_claim`);
      await ada.must("task_claim", { id });
      expect((await listOf(world).set("1", "completed", "Parser")).refused).toContain("ada still works on");
      expect((await hers.set("1", "completed", "Parser")).heard).toContain(`${id} is closed as done`);
      expect(await state(lead, id)).toBe("closed");
      const { events } = await world.person("event_list", { limit: 200 });
      const closed = events.find((each: { type: string }) => each.type === "task.closed");
      expect(closed).toMatchObject({ subject: id, by: "ada" });

      const epic = (await lead.must("task_create", { title: "Write the compiler" })).task.id as string;
      const part = (await lead.must("task_create", { title: "Write a part", parent: epic })).task.id as string;
      await listOf(world).create("2", "Compiler", { metadata: { teamwright_id: epic } });
      const bob = await world.spawn("bob", { prompt: `Do ${epic}` });
      await bob.must("task_claim", { id: epic });
      const done = await listOf(world, { agent: bob }).set("2", "completed", "Compiler");
      expect(done.heard).toContain(`${epic} is handed in`);
      expect(await state(lead, epic)).toBe("in_review");
      expect((await listOf(world).set("2", "completed", "Compiler")).refused).toContain("open child");
      await lead.must("task_close", { id: part });
      await listOf(world).set("2", "completed", "Compiler");
      expect(await state(lead, epic)).toBe("closed");
    });

    test("in team mode an agent hands in and the lead alone closes (BD-03, C-01)", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const id = (await lead.must("task_create", { title: "Write the parser" })).task.id as string;
      const run = await openRun(world.runtime);
      await world.runtime.store.db.updateTable("run").set({ mode: "team" }).where("id", "=", run.id).execute();
      const ada = await world.spawn("ada", { prompt: `Do ${id}` });
      await ada.must("task_claim", { id });
      await listOf(world).create("1", "Parser", { metadata: { teamwright_id: id } });
      expect((await listOf(world, { agent: ada }).set("1", "completed", "Parser")).heard).toContain(
        "the lead closes it",
      );
      expect(await state(lead, id)).toBe("in_review");
      expect((await pairs(world, true))[0]).toMatchObject({ difference: "open_here", there: "completed" });
      expect((await listOf(world).set("1", "completed", "Parser")).heard).toContain("closed as done");
      expect(await pairs(world, true)).toEqual([]);
    });

    test("nobody completes over the gates of a unit, and all may once it is done (BD-03, FP-15)", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const id = (await lead.must("task_create", { title: "Write the parser", acceptance: "- parses", scope: ["a"] }))
        .task.id as string;
      await lead.must("unit_plan", { tasks: [id], about: "7" });
      expect((await world.person("bridge_list")).missing).toMatchObject([{ task: id }]);
      const list = listOf(world);
      await list.create("1", "Parser", { metadata: { teamwright_id: id } });
      expect((await world.person("bridge_list")).missing).toEqual([]);
      const ada = await world.spawn("ada", { prompt: `Do ${id}` });
      await ada.must("task_claim", { id });
      const hers = listOf(world, { agent: ada });
      const open = /is the work of unit wu-\S+ in phase planned.* Next: unit_start/;
      expect((await hers.set("1", "completed", "Parser")).refused).toMatch(open);
      expect((await list.set("1", "completed", "Parser")).refused).toMatch(open);
      // a teammate that goes idle over it: the event comes without a call
      expect(await list.event("TaskCompleted", "1", "Parser")).toMatchObject({ decision: "block" });
      expect(await state(lead, id)).toBe("in_progress");
      expect((await pairs(world))[0]).toMatchObject({ there: "pending" });

      const { db } = world.runtime.store;
      await db.updateTable("unit").set({ phase: "done" }).execute();
      await ada.must("task_close", { id });
      expect(await list.set("1", "completed", "Parser")).toEqual({});
      expect((await pairs(world))[0]).toMatchObject({ there: "completed", here: "closed" });
    });

    test("the lead is told once what it can complete, by prompt or after its own call (BD-07)", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const list = listOf(world);
      await list.create("1", "Write the parser");
      await list.create("2", "Write the printer");
      const [second, first] = (await pairs(world)).map(({ task }) => task ?? "");
      await world.person("task_close", { id: first });
      expect(await listOf(world, { session: "s2" }).prompt()).not.toContain("#1");
      expect(await list.prompt()).toContain(`client task #1 (${first}) can be completed`);
      expect(await list.prompt()).not.toContain("#1");
      expect((await lead.must("brief_show")).client_tasks).toMatchObject({
        differing: 1,
        pairs: [{ client: "1", difference: "open_there" }],
      });
      expect(await lead.text("brief_show")).toContain("is closed here: complete it with TaskUpdate");
      await world.person("task_close", { id: second });
      const own = await world.hook({
        event: "PostToolUse",
        tool_name: "mcp__plugin_teamwright_teamwright__unit_commit",
        tool_use_id: "toolu_own",
      });
      expect(own.hookSpecificOutput.additionalContext).toContain(`#2 (${second})`);
      // worked on again there: it may be said again
      await list.set("1", "in_progress");
      expect(await list.prompt()).toContain("#1");
      await list.set("1", "completed", "Write the parser");
      await list.set("2", "completed", "Write the printer");
      expect((await lead.must("brief_show")).client_tasks).toBeUndefined();
    });

    test("what a crash leaves between the steps is shown and made up for (BD-07)", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const real = (await lead.must("task_create", { title: "Write the parser" })).task.id as string;
      const list = listOf(world);
      // ended between the client's creation and ours, twice: the metadata is not lost
      await list.before("TaskCreate", { subject: "Parser", metadata: { beads_id: real } });
      await list.event("TaskCreated", "1", "Parser");
      await list.before("TaskCreate", { subject: "Printer", description: "In colour." });
      await list.event("TaskCreated", "2", "Printer", "In colour.");
      expect((await pairs(world, true)).map(({ difference }) => difference)).toEqual(["unlinked", "unlinked"]);
      const next = listOf(world, { session: "s2" });
      await next.prompt();
      expect(await allTasks(world)).toHaveLength(1);
      world.clock.advance(61_000);
      await Promise.all([next.prompt(), list.prompt()]);
      await next.prompt();
      const [printer, parser] = await pairs(world);
      expect(parser).toMatchObject({ task: real, origin: "linked" });
      expect(printer).toMatchObject({ origin: "created" });
      const made = await world.lead("s2").must("task_show", { id: printer?.task });
      expect(made.task).toMatchObject({ title: "Printer" });
      expect(made.task.description).toContain("In colour.");

      // ended between the client's completion and ours
      await list.before("TaskUpdate", { taskId: "1", status: "completed" });
      expect(await list.event("TaskCompleted", "1", "Parser")).toBeUndefined();
      expect((await pairs(world, true))[0]).toMatchObject({ client: "1", difference: "unconfirmed" });
      expect((await world.lead("s2").must("brief_show")).client_tasks.pairs).toMatchObject([{ client: "1" }]);
      await list.show([
        { id: "1", subject: "Parser", status: "completed" },
        { id: "2", subject: "Printer", status: "pending" },
      ]);
      expect((await pairs(world, true))[0]).toMatchObject({ client: "1", difference: "open_here" });
      expect((await world.lead("s2").must("brief_show")).client_tasks.pairs).toMatchObject([
        { client: "1", difference: "open_here" },
      ]);
      await world.lead("s2").must("task_close", { id: real });
      expect(await pairs(world, true)).toEqual([]);
      expect((await world.person("doctor_check")).problems ?? []).toEqual([]);
    });

    test("a server that has started anew in the middle goes on: nothing hangs on its memory (BD-07)", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const id = (await lead.must("task_create", { title: "Write the parser" })).task.id as string;
      const ada = await world.spawn("ada", { prompt: `Do ${id}` });
      await ada.must("task_claim", { id });
      await listOf(world).create("1", "Parser", { metadata: { teamwright_id: id } });
      const call = {
        session_id: "s1",
        agent_id: ada.id,
        agent_type: "teamwright:builder",
        tool_name: "TaskUpdate",
        tool_use_id: "toolu_r",
        tool_input: JSON.stringify({ taskId: "1", status: "completed" }),
      };
      expect(await world.guard.decide({ ...call, event: "PreToolUse" })).toBeUndefined();
      const anew = new Guard(world.runtime);
      const event = { event: "TaskCompleted", session_id: "s1", task_id: "1", task_subject: "Parser" };
      expect(await anew.decide(event)).toBeUndefined();
      expect(await state(lead, id)).toBe("in_progress");
      const answer = { success: true, taskId: "1", statusChange: { from: "pending", to: "completed" } };
      const after = { ...call, event: "PostToolUse", tool_response: JSON.stringify(answer) };
      expect(JSON.stringify(await anew.decide(after))).toContain(`${id} is closed as done`);
      expect(await new Guard(world.runtime).decide(after)).toBeUndefined();
      expect(await pairs(world, true)).toEqual([]);
    });

    test("a list seen whole brings what was missed: new tasks, states, deletions (BD-07)", async () => {
      await using world = await openWorld({ dialect, config: on });
      const lead = world.lead();
      const list = listOf(world);
      await list.create("1", "Write the parser");
      await list.create("2", "Write the printer");
      world.clock.advance(61_000);
      await list.show([
        { id: "2", subject: "Write the printer", status: "in_progress" },
        { id: "3", subject: "Made before the bridge", status: "pending" },
        { id: "4", subject: "Over before the bridge", status: "completed" },
      ]);
      expect((await pairs(world)).map(({ client, there, difference }) => [client, there, difference])).toEqual([
        ["3", "pending", undefined],
        ["2", "in_progress", undefined],
        ["1", "deleted", "deleted_there"],
      ]);
      // the durable task stays: the client's list is only who and when (BD-01)
      expect((await lead.must("task_ready")).tasks).toHaveLength(3);
      await list.set("2", "deleted");
      expect((await pairs(world))[1]).toMatchObject({ there: "deleted", here: "open" });
    });

    test("a completion the board has no room for is kept, and said", async () => {
      await using world = await openWorld({ dialect, config: `${on}wip_limits: { review: 1 }\n` });
      const lead = world.lead();
      const list = listOf(world);
      await openRun(world.runtime);
      await world.runtime.store.db.updateTable("run").set({ mode: "team" }).execute();
      const agents: Actor[] = [];
      for (const [index, name] of ["ada", "bob"].entries()) {
        const id = (await lead.must("task_create", { title: `Write part ${name}` })).task.id as string;
        const agent = await world.spawn(name, { prompt: `Do ${id}` });
        await agent.must("task_claim", { id });
        await list.create(String(index + 1), name, { metadata: { teamwright_id: id } });
        agents.push(agent);
      }
      const [ada, bob] = agents as [Actor, Actor];
      expect((await listOf(world, { agent: ada }).set("1", "completed", "ada")).heard).toContain("handed in");
      expect((await listOf(world, { agent: bob }).set("2", "completed", "bob")).heard).toMatch(
        /#2 is completed and \S+ is not: /,
      );
      expect((await pairs(world, true)).map(({ client, here }) => [client, here])).toEqual([
        ["2", "in_progress"],
        ["1", "in_review"],
      ]);
    });
  });
}
