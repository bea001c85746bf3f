import { describe, expect, test } from "vitest";
import { DAY, expectSound, newTask, personRefusal, refusal, show } from "../support/answers.ts";
import { dialects, openWorld } from "../support/world.ts";

describe.each(dialects)("creating and changing on %s", (dialect) => {
  test("many tasks are created all or none, with refs, defaults and findings (TD-01, TD-02, TD-05, TD-06, TD-07, TD-08, C-13)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const before = (await lead.must("task_list")).total;
    const bad: [Record<string, unknown>, string][] = [
      [{ tasks: [{ title: "Write one" }, { title: "Write two", blocked_by: ["nobody"] }] }, "NOT_FOUND"],
      [{ tasks: [{ title: "Write one" }, { title: "  " }] }, "INVALID_INPUT"],
      [
        {
          tasks: [
            { ref: "a", title: "Write one", blocked_by: ["b"] },
            { ref: "b", title: "Write two", blocked_by: ["a"] },
          ],
        },
        "RULE_VIOLATED",
      ],
      [
        {
          tasks: [
            { ref: "a", title: "Write one", parent: "b" },
            { ref: "b", title: "Write two", blocked_by: ["a"] },
          ],
        },
        "RULE_VIOLATED",
      ],
      [{ tasks: [{ ref: "a", title: "Write one", blocked_by: ["a"] }] }, "RULE_VIOLATED"],
      [
        {
          tasks: [
            { ref: "a", title: "Write one" },
            { ref: "a", title: "Write two" },
          ],
        },
        "INVALID_INPUT",
      ],
      [{ tasks: [{ title: "Write one", labels: [" "] }] }, "INVALID_INPUT"],
      [{ tasks: [{ title: "Write one", priority: 5 }] }, "INVALID_INPUT"],
      [{ tasks: [], title: "Write one" }, "INVALID_INPUT"],
      [{ title: "Write one", tasks: [{ title: "Write two" }] }, "INVALID_INPUT"],
      [{ title: "Write one", team: "nowhere" }, "NOT_FOUND"],
      [{ titel: "Write one" }, "INVALID_INPUT"],
      [{ title: "Write one\u0000" }, "INVALID_INPUT"],
      [{ title: "ü".repeat(251) }, "INVALID_INPUT"],
      [{}, "INVALID_INPUT"],
    ];
    for (const [input, code] of bad)
      expect([input, await refusal(lead.call("task_create", input))]).toEqual([input, code]);
    expect((await lead.must("task_list")).total).toBe(before);
    expect((await lead.must("board_show")).boards[0].columns.map((column: { total: number }) => column.total)).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect((await lead.call("task_create", { titel: "Write one" })).error.problems).toEqual([
      "unknown argument titel; did you mean title?",
    ]);

    const plan = await lead.must("task_create", {
      priority: 0,
      tasks: [
        { ref: "epic", title: "Deliver the parser", kind: "epic" },
        { ref: "a", title: "Write the parser", parent: "epic", acceptance: "it parses", scope: ["src/**"] },
        {
          ref: "b",
          title: "Test the parser",
          parent: "epic",
          acceptance: "it is tested",
          scope: ["src/parse.ts"],
          priority: 3,
        },
        {
          ref: "c",
          title: "Ship the parser",
          parent: "epic",
          acceptance: "it ships",
          scope: ["ship.sh"],
          blocked_by: ["a", "b", "a"],
        },
      ],
    });
    expect(plan.total).toBe(4);
    expect(plan.findings).toEqual([
      '"Write the parser" and "Test the parser" may both write src/** and src/parse.ts: order them with blocked_by',
    ]);
    expect(
      plan.tasks.map((task: { ref: string; state: string; priority: number; waits_for?: number }) => [
        task.ref,
        task.state,
        task.priority,
        task.waits_for,
      ]),
    ).toEqual([
      ["epic", "open", 0, undefined],
      ["a", "ready", 0, undefined],
      ["b", "ready", 3, undefined],
      ["c", "open", 0, 2],
    ]);
    const { findings } = await lead.must("task_create", { title: "Fix stuff" });
    expect(findings.join()).toMatch(/vague.*acceptance.*scope/);
    // a plan in a row is no overlap
    const row = await lead.must("task_create", {
      tasks: ["a", "b", "c"].map((ref, index, refs) => ({
        ref,
        title: `Do step ${ref} carefully please`,
        acceptance: "done",
        scope: ["one.ts"],
        ...(index > 0 ? { blocked_by: [refs[index - 1]] } : {}),
      })),
    });
    expect(row.findings).toBeUndefined();
    await expectSound(world);
  });

  test("a new task that may write what an open one of its team may write is flagged, or refused, unless links order them (TD-06, TD-08)", async () => {
    const teams = "teams: [{ id: alpha, agents: [ada] }, { id: beta, agents: [bea] }]";
    await using world = await openWorld({ dialect, config: teams });
    const lead = world.lead();
    const draft = { acceptance: "it works", scope: ["src/parse/**"], team: "alpha" };
    const create = async (input: Record<string, unknown>) => lead.must("task_create", { ...draft, ...input });
    const epic = (await create({ title: "Deliver the parser", kind: "epic" })).task.id;
    const parser = (await create({ title: "Write the parser", parent: epic })).task.id;
    const lexer = { title: "Speed up the lexer", scope: ["docs/lexer.md", "src/parse/lex.ts"] };
    expect((await create(lexer)).findings).toEqual([
      `"Speed up the lexer" and ${parser} "Write the parser" may both write src/parse/lex.ts and src/parse/**: order them with blocked_by`,
    ]);
    // no link orders tasks of two teams, so none is advised
    const other = await create({ ...lexer, team: "beta" });
    expect(other.findings).toHaveLength(2);
    for (const finding of other.findings)
      expect(finding).toMatch(new RegExp(`^${other.task.id} of beta and .* of alpha may .*: dependency_declare puts`));
    await lead.must("task_close", { id: other.task.id, outcome: "cancelled" });
    expect((await create({ ...lexer, kind: "epic" })).findings, "an epic is not worked on").toBeUndefined();
    const [mine] = (await lead.must("task_list", { team: "alpha", search: "lexer" })).tasks;
    await lead.must("task_update", { id: mine.id, scope: ["docs/lexer.md"] });
    const between = (await create({ title: "Test the parser", scope: ["tests/**"], blocked_by: [parser] })).task.id;
    expect((await create({ ...lexer, scope: ["src/parse/lex.ts"], blocked_by: [between] })).findings).toBeUndefined();
    expect((await create({ ...lexer, scope: ["src/parse/ast.ts"], blocked_by: [epic] })).findings).toBeUndefined();
    await lead.must("task_claim", { id: parser });
    const held = await create({ title: "Name the nodes", scope: ["src/parse/nodes.ts"] });
    expect(held.findings).toEqual([expect.stringContaining(`and ${parser} `)]);
    await lead.must("task_close", { id: parser, reason: "written" });
    expect((await create({ title: "Print the nodes", scope: ["src/parse/print.ts"] })).findings).toBeUndefined();

    await using strict = await openWorld({ dialect, config: `task_quality: strict\n${teams}` });
    await strict.lead().must("task_create", { ...draft, title: "Write the parser" });
    const { error } = await strict.lead().call("task_create", { ...draft, ...lexer });
    expect(error).toMatchObject({ code: "RULE_VIOLATED", problems: [expect.stringContaining("may both write")] });
    expect((await strict.lead().must("task_list")).total).toBe(1);
    // of two teams only a dependency orders tasks, and that is declared when they are there
    const pair = ["alpha", "beta"].map((team) => ({ ...draft, ...lexer, scope: ["src/lex.ts"], team }));
    const made = await strict.lead().must("task_create", { tasks: pair });
    expect(made.findings).toEqual([expect.stringContaining("dependency_declare")]);
  });

  test("tasks of one call are of one team whether each names it or not (TD-08)", async () => {
    await using world = await openWorld({ dialect });
    const task = { acceptance: "it is tested", scope: ["src/lex.ts"] };
    const tasks = [
      { ...task, title: "Write the lexer", team: "main" },
      { ...task, title: "Test the lexer" },
    ];
    expect((await world.lead().must("task_create", { tasks })).findings).toEqual([
      expect.stringContaining('"Write the lexer" and "Test the lexer" may both write'),
    ]);
  });

  test("fields, labels and comments change; what is empty or unknown is refused; nothing else is lost", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const id = await newTask(lead, {
      title: "Polish the brass",
      labels: ["ui", "ui", "shine"],
      points: 5,
      assignee: "  ",
    });
    await ada.must("task_update", { id, comment: "mine is brighter" });
    expect(await refusal(ada.call("task_update", { id, comment: " \n" }))).toBe("INVALID_INPUT");
    for (const nothing of [{}, { add_labels: [] }, { add_labels: [], remove_labels: [] }])
      expect(await refusal(ada.call("task_update", { id, ...nothing }))).toBe("INVALID_INPUT");
    expect(await refusal(ada.call("task_update", { id, assignee: "bob" }))).toBe("FORBIDDEN");
    expect(await refusal(ada.call("task_create", { title: "Do my work", assignee: "bob" }))).toBe("FORBIDDEN");
    expect(await refusal(ada.call("task_update", { id: "tw-none", comment: "x" }))).toBe("NOT_FOUND");
    await ada.must("task_claim", { id });
    const bob = await world.spawn("bob");
    expect(await refusal(bob.call("task_update", { id, add_labels: ["bob was here"] }))).toBe("FORBIDDEN");
    await bob.must("task_update", { id, comment: "well done" });
    await ada.must("task_update", {
      id,
      add_labels: ["retry:1"],
      remove_labels: ["shine", "unknown"],
      points: 8,
      priority: 0,
      scope: ["brass/**"],
      title: "  Polish all brass ",
    });
    const { task, comments } = await ada.must("task_show", { id });
    expect(task).toMatchObject({
      title: "Polish all brass",
      labels: ["retry:1", "ui"],
      points: 8,
      priority: 0,
      scope: ["brass/**"],
      state: "in_progress",
      holder: "ada",
    });
    expect(comments.map((comment: { by: string }) => comment.by)).toEqual(["ada", "bob"]);
    expect(comments[0].text).toMatch(/^<stored-text [0-9a-f]{12} what="text">\nmine is brighter\n<\/stored-text/);

    const unique = id.slice(0, -1);
    expect((await show(lead, unique)).id).toBe(id);
    const oldest = await newTask(lead, "Polish the copper");
    await newTask(lead, "Polish the silver");
    expect(await refusal(lead.call("task_show", { id: "tw-" }))).toBe("INVALID_INPUT");
    for (const odd of ["%", "tw_", "tw-%", "_", "\\", "'", "tw-\u{10ffff}", "TW-", " "])
      expect([odd, await refusal(lead.call("task_show", { id: odd }))]).toEqual([odd, "NOT_FOUND"]);
    expect(await personRefusal(world.person("task_stale", { days: -1 }))).toBe("INVALID_INPUT");
    world.clock.advance(31 * DAY);
    expect(await world.person("task_stale", { limit: 1 })).toMatchObject({ total: 2, tasks: [{ id: oldest }] });
    expect(await world.personText("task_stale", { limit: 1 })).toMatch(
      new RegExp(`^2 stale, 1 shown\n.*untouched since.*\n${oldest} +2026-11-01 09:00 .*Polish the copper`),
    );
    await expectSound(world);
  });

  test("an idempotency key gives the first answer again and refuses another question (BD-07)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const first = await lead.must("task_create", { title: "Create me once", idempotency_key: "k1" });
    expect(await lead.must("task_create", { title: "Create me once", idempotency_key: "k1" })).toEqual(first);
    expect(await lead.must("task_create", { idempotency_key: "k1", title: "Create me once" })).toEqual(first);
    expect(await refusal(lead.call("task_create", { title: "Create me twice", idempotency_key: "k1" }))).toBe(
      "CONFLICT",
    );
    expect(await refusal(lead.call("task_close", { id: first.task.id, idempotency_key: "k1" }))).toBe("CONFLICT");
    for (const key of ["", "k".repeat(201), 7, "a\u0000b"])
      expect([key, await refusal(lead.call("task_create", { title: "Create me", idempotency_key: key }))]).toEqual([
        key,
        "INVALID_INPUT",
      ]);
    expect((await lead.must("task_list")).total).toBe(1);
    // a refusal is no answer: the same key works once the cause is gone
    const blocked = await newTask(lead, { title: "Follow it", blocked_by: [first.task.id] });
    const ada = await world.spawn("ada");
    expect(await refusal(ada.call("task_claim", { id: blocked, idempotency_key: "k2" }))).toBe("BLOCKED");
    await lead.must("task_close", { id: first.task.id });
    const claim = await ada.must("task_claim", { id: blocked, idempotency_key: "k2" });
    expect((await ada.must("task_claim", { id: blocked, idempotency_key: "k2" })).fence).toBe(claim.fence);
    // keys are an actor's own
    expect(
      (await world.lead("s2").must("task_create", { title: "Create me once", idempotency_key: "k1" })).task.id,
    ).not.toBe(first.task.id);
    expect(await refusal(lead.call("task_ready", { idempotency_key: "k3" }))).toBe("INVALID_INPUT");
  });
});

test("a long row of tasks is made in one call nearly as fast as tasks on their own", async () => {
  await using world = await openWorld({ dialect: "sqlite" });
  const lead = world.lead();
  const stones = Array.from({ length: 250 }, (_, n) => ({ title: `Lay stone number ${n}`, ref: `${n}` }));
  const rows = stones.map((stone, n) => (n === 0 ? stone : { ...stone, blocked_by: [`${n - 1}`] }));
  const timed = async (tasks: readonly object[]) => {
    const begun = performance.now();
    const made = await lead.must("task_create", { tasks });
    return { made, ms: performance.now() - begun };
  };
  const [alone, inRow] = [await timed(stones), await timed(rows)];
  // twice as long; where each task's row is walked through again it is thirty times as long
  expect(inRow.ms / alone.ms).toBeLessThan(10);
  const [first, last] = [inRow.made.tasks[0].id, inRow.made.tasks.at(-1).id];
  const { error } = await lead.call("task_link", { id: first, target: last });
  expect(error).toMatchObject({ code: "RULE_VIOLATED", message: expect.stringContaining("would close a circle") });
}, 120_000);
