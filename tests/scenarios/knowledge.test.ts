import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { learnFromReport } from "../../mcp-server/src/features/knowledge/knowledge.store.ts";
import { changeRun } from "../../mcp-server/src/features/run/run.store.ts";
import { inTransaction } from "../../mcp-server/src/kernel/execute.ts";
import { systemPrincipal } from "../../mcp-server/src/kernel/principal.ts";
import { DAY, expectSound, newTask, refusal } from "../support/answers.ts";
import { openRun } from "../support/runs.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

const twoTeams = `teams:
  - id: alpha
    agents: [ada, abe]
  - id: beta
    agents: [bea]
`;
const complexity = { ambiguity: 0, integration: 0, novelty: 0, risk: 0, scale: 1 };
const learnings = (world: World) => readFileSync(join(world.root, "LEARNINGS.md"), "utf8");

describe.each(dialects)("the knowledge base on %s", (dialect) => {
  test("a fact is found by words and by files, and use is counted (LP-04, LP-05)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const { knowledge } = await lead.must("knowledge_add", {
      fact: "GOTCHA: raw text makes MATCH throw, so each token of a query is quoted",
      recommendation: "Use searchWords",
      detail: "foo-bar and C++ are taken for syntax",
      files: ["src/store/**"],
      tags: ["full-text"],
    });
    expect(knowledge).toMatchObject({ kind: "gotcha", scope: "team", owner: "main", confidence: "low", sources: 1 });
    await lead.must("knowledge_add", { fact: "The staging database refuses connections without TLS", kind: "api" });
    const ids = async (input: Record<string, unknown>) =>
      (await lead.must("knowledge_search", input)).knowledge.map((fact: Answer) => fact.id);
    expect(await ids({ words: "quoting tokens" })).toEqual([knowledge.id]);
    for (const odd of ["c++ 'or \"near", "AND NOT (", "*", "don't & | !", "\\", "%_"]) await ids({ words: odd });
    expect(await ids({ words: '"MATCH" (throw' })).toEqual([knowledge.id]);
    expect(await ids({ words: "full-text" })).toEqual([knowledge.id]);
    expect(await ids({ files: ["src/store/sqlite.ts"] })).toEqual([knowledge.id]);
    expect(await ids({ files: ["docs/a.md"], words: "TLS" })).toHaveLength(1);
    expect(await ids({ words: "payroll" })).toEqual([]);
    expect(await ids({ kind: "api" })).toHaveLength(1);
    expect(await ids({})).toHaveLength(2);
    const found = await lead.must("knowledge_search", { words: "MATCH" });
    expect(found.knowledge[0]).toMatchObject({ used: 5, recommendation: "Use searchWords" });
    expect(await lead.text("knowledge_search", { words: "MATCH" })).toMatch(
      /<stored-text (\w+) what="knowledge">\n.*MATCH.*\n[\s\S]*<\/stored-text \1>/,
    );
    await expectSound(world);
  });

  test("a solution has author, team and code, its team hears of it, and no other team finds it (KN-01)", async () => {
    const config = "teams: [{ id: alpha, agents: [ada, abe] }, { id: beta, agents: [bea] }]\n";
    await using world = await openWorld({ dialect, config });
    const [ada, abe, bea] = [await world.spawn("ada"), await world.spawn("abe"), await world.spawn("bea")];
    const solution = {
      fact: "SOLUTION: a page of results is fetched by the last id seen",
      detail: "select * from page where id > ? order by id limit 50",
      tags: ["paging"],
    };
    const { knowledge } = await ada.must("knowledge_add", solution);
    expect(knowledge).toMatchObject({ kind: "solution", scope: "team", owner: "alpha", tags: ["paging"] });
    const news = async (who: Actor) => JSON.stringify(await who.must("message_inbox"));
    expect(await news(abe)).toContain(`Solution ${knowledge.id}: a page of results`);
    expect(await news(bea)).not.toContain(knowledge.id);
    const found = async (who: Actor) => (await who.must("knowledge_search", { words: "paging" })).knowledge;
    expect(await found(abe)).toMatchObject([{ id: knowledge.id, detail: solution.detail }]);
    expect(await found(bea)).toEqual([]);
    const { events } = await world.person("event_list", { after: 0, limit: 100 });
    const added = events.find((event: Answer) => event.type === "knowledge.added");
    expect(added).toMatchObject({ subject: knowledge.id, by: expect.stringContaining("ada") });
    // known already: nobody is told twice
    await ada.must("knowledge_add", solution);
    expect(await news(abe)).not.toContain(knowledge.id);
  });

  test("what is known gains a source instead of a double, and three make it certain (LP-04, LP-07)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const tasks = [
      await newTask(lead, "Write one"),
      await newTask(lead, "Write two"),
      await newTask(lead, "Write three"),
    ];
    const says = [
      "The proxy drops idle connections after a minute",
      "the proxy drops idle connections after one minute.",
      "The proxy drops idle connections after a minute!",
    ];
    const answers = [];
    for (const [index, fact] of says.entries())
      answers.push(await lead.must("knowledge_add", { fact, task: tasks[index], tags: [`t${index}`] }));
    expect(answers.map(({ merged, knowledge }) => [merged, knowledge.confidence, knowledge.sources])).toEqual([
      [false, "low", 1],
      [true, "medium", 2],
      [true, "high", 3],
    ]);
    expect(new Set(answers.map(({ knowledge }) => knowledge.id)).size).toBe(1);
    expect(answers[2].knowledge.tags).toEqual(["t0", "t1", "t2"]);
    // the same task again is no new source
    expect((await lead.must("knowledge_add", { fact: says[0], task: tasks[0] })).knowledge.sources).toBe(3);
    // an opposite is another fact
    const opposite = await lead.must("knowledge_add", {
      fact: "The proxy never drops idle connections after a minute",
    });
    expect(opposite.merged).toBe(false);
    const { promote } = await world.person("knowledge_prune");
    expect(promote).toEqual([expect.objectContaining({ id: answers[0].knowledge.id, sources: 3 })]);
  });

  test("what teaches nothing, is too long or is a secret is refused (LP-02)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const codes = [];
    for (const fact of [
      "2026-11-21 10:00 session ended",
      "done",
      `${"word ".repeat(30)}`,
      "two\nlines of something new",
    ])
      codes.push(await refusal(lead.call("knowledge_add", { fact })));
    expect(codes).toEqual(["RULE_VIOLATED", "RULE_VIOLATED", "INVALID_INPUT", "INVALID_INPUT"]);
    const secret = { fact: "The deploy script reads a token", detail: `ghp_${"a1B2".repeat(9)}` };
    expect(await refusal(lead.call("knowledge_add", secret))).toBe("RULE_VIOLATED");
    expect(await refusal(lead.call("knowledge_add", {}))).toBe("INVALID_INPUT");
    expect((await lead.must("knowledge_search")).total).toBe(0);
  });

  test("agents see their own, their team's and everybody's facts (C-28, LP-06)", async () => {
    await using world = await openWorld({ dialect, config: twoTeams });
    const [ada, abe, bea] = [await world.spawn("ada"), await world.spawn("abe"), await world.spawn("bea")];
    await ada.must("knowledge_add", { fact: "Alpha keeps its fixtures in one place only" });
    await ada.must("knowledge_add", { fact: "Small commits kept my reviews short", scope: "agent", kind: "pattern" });
    await bea.must("knowledge_add", { fact: "Licence headers are checked in every build", scope: "org", kind: "rule" });
    const seen = async (actor: typeof ada) => (await actor.must("knowledge_search")).total;
    expect([await seen(ada), await seen(abe), await seen(bea), await seen(world.lead())]).toEqual([3, 2, 1, 3]);
    expect((await world.lead().must("knowledge_search", { team: "beta" })).total).toBe(1);
    expect(await refusal(bea.call("knowledge_search", { team: "alpha" }))).toBe("FORBIDDEN");
    const alphas = await newTask(world.lead(), { title: "Write the parser", team: "alpha" });
    expect(await refusal(bea.call("knowledge_add", { fact: "Beta writes about alpha here", task: alphas }))).toBe(
      "FORBIDDEN",
    );
  });

  test("facts are judged; those reported outdated and those nobody uses are proposed, never dropped silently (LP-04, CX-04)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const add = async (fact: string) => (await lead.must("knowledge_add", { fact })).knowledge.id;
    const old = await add("The old build server needs a manual restart");
    const wrong = await add("The api answers with plain text only");
    const good = await add("Fixtures are generated by one script");
    for (let n = 0; n < 3; n += 1) await lead.must("knowledge_add", { outdated: wrong });
    const again = await lead.must("knowledge_add", { fact: "Fixtures are generated by one script" });
    expect(again).toMatchObject({ merged: true, knowledge: { id: good, helpful: 1 } });
    expect(await refusal(lead.call("knowledge_add", { outdated: "kn-nothere" }))).toBe("NOT_FOUND");
    world.clock.advance(91 * DAY);
    await lead.must("knowledge_search", { words: "fixtures" });
    expect(await world.personText("knowledge_prune")).toContain("To retire:");
    const proposed = await world.person("knowledge_prune");
    expect(proposed.applied).toBe(false);
    expect(proposed.retire.map((one: Answer) => one.id).sort()).toEqual([old, wrong].sort());
    expect((await lead.must("knowledge_search")).total).toBe(3);
    expect(readdirSync(world.root)).not.toContain("LEARNINGS.md");
    await world.person("knowledge_prune", { apply: true, keep: [old] });
    expect((await lead.must("knowledge_search")).knowledge.map((fact: Answer) => fact.id).sort()).toEqual(
      [old, good].sort(),
    );
    const events = (await world.person("event_list", { limit: 5 })).events.map((event: Answer) => event.type);
    expect(events).toContain("knowledge.retired");
  });

  test("LEARNINGS.md is rendered between its marks only, and left alone when they are damaged (C-28)", async () => {
    await using world = await openWorld({ dialect });
    const own = "# Ours\r\n\r\n- by hand\r\n";
    writeFileSync(join(world.root, "LEARNINGS.md"), own);
    await world.lead().must("knowledge_add", { fact: "Fixtures are generated by one script", kind: "pattern" });
    expect(learnings(world)).toBe(own);
    expect((await world.person("knowledge_prune")).learnings).toMatchObject({ state: "would change", own_lines: 3 });
    const { learnings: applied } = await world.person("knowledge_prune", { apply: true });
    expect(applied).toMatchObject({ state: "written", shown: 1 });
    expect(learnings(world).startsWith(own)).toBe(true);
    expect(learnings(world)).toContain("- Fixtures are generated by one script");
    const after = `${learnings(world)}\ntail by hand`;
    writeFileSync(join(world.root, "LEARNINGS.md"), after);
    await world.lead().must("knowledge_add", { fact: "The api answers with plain text only", kind: "mistake" });
    await world.person("knowledge_prune", { apply: true });
    expect(learnings(world).endsWith("\ntail by hand")).toBe(true);
    expect(learnings(world)).toContain("Mistake: The api");
    expect((await world.person("knowledge_prune")).learnings.state).toBe("unchanged");
    const damaged = learnings(world).replace("<!-- teamwright:learnings:end -->", "");
    writeFileSync(join(world.root, "LEARNINGS.md"), damaged);
    expect((await world.person("knowledge_prune", { apply: true })).learnings.state).toBe("damaged");
    expect(learnings(world)).toBe(damaged);
  });

  test("what reports say was learned is kept, and what teaches nothing is skipped (LP-03, C-24)", async () => {
    await using world = await openWorld({ dialect });
    const long = `The importer reads at most ${"so very ".repeat(20)}many rows`;
    const learnings = ["GOTCHA: the importer keeps unknown fields", "Session ended 2026-11-01", "None.", long];
    const kept = await inTransaction(world.runtime, { principal: systemPrincipal }, "guard_report", (ctx) =>
      learnFromReport(ctx, { team: "main", learnings, report: "rp-1", task: "tw-1" }),
    );
    expect(kept).toMatchObject({ skipped: 2, added: [{ kind: "gotcha", sources: 1 }, { detail: long }] });
    expect(kept.added[1]?.fact).toMatch(/^The importer .{50,}…$/);
    expect((await world.lead().must("knowledge_search", { words: "importer" })).total).toBe(2);
  });

  test("two who learn the same at once make one fact (LP-04)", async () => {
    await using world = await openWorld({ dialect });
    const people = [await world.spawn("ada"), await world.spawn("abe"), await world.spawn("bob")];
    const fact = "The proxy drops idle connections after a minute";
    await Promise.all(people.map((person) => person.must("knowledge_add", { fact })));
    const { knowledge } = await world.lead().must("knowledge_search");
    expect(knowledge).toEqual([expect.objectContaining({ sources: 3, confidence: "high" })]);
  });
});

describe.each(dialects)("run logs on %s", (dialect) => {
  test("say what the server counted, once per run, and nobody else's log is lost (LP-02)", async () => {
    await using world = await openWorld({ dialect });
    const run = await openRun(world.runtime);
    const lead = world.lead();
    const id = await newTask(lead, "Write the parser");
    await newTask(lead, "Write the manual");
    await lead.must("brief_spawn", { task: id, name: "ada", complexity });
    const ada = await world.spawn("ada", { prompt: `Work on ${id}.` });
    await ada.must("task_claim");
    await ada.must("knowledge_add", { fact: "The proxy drops idle connections after a minute", kind: "gotcha" });
    await ada.must("task_close", { id });
    await inTransaction(world.runtime, { principal: systemPrincipal }, "unit_end", (ctx) =>
      changeRun(ctx, run.id, { status: "ended", ended_at: ctx.now }),
    );
    const { path, text, learnings: state } = await world.person("run_log");
    expect(path).toBe("team-registry/run-logs/2026-11-01-main-issue-123.md");
    expect(state).toBe("written");
    expect(readFileSync(join(world.root, path), "utf8")).toBe(text);
    expect(text).toContain("**Tasks:** 2 created, 1 completed, 1 remaining");
    expect(text).toContain("[coordinator] Spawning ada with haiku (score: 1, cost: ~$0.11); ambiguity ");
    expect(text).toContain("The proxy drops idle connections after a minute");
    expect(text).toContain("| Models | 1 haiku |");
    expect((await world.person("run_log", { run: run.key })).path).toBe(path);
    await openRun(world.runtime, "s2");
    expect((await world.person("run_log")).path).toBe("team-registry/run-logs/2026-11-01-main-issue-123-2.md");
    expect(readdirSync(join(world.root, "team-registry/run-logs"))).toHaveLength(2);
    await expect(world.person("run_log", { run: "run-nothere" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("are not written through a link out of the project", async () => {
    await using world = await openWorld({ dialect });
    await using elsewhere = await openWorld();
    await openRun(world.runtime);
    mkdirSync(join(world.root, "team-registry"));
    symlinkSync(elsewhere.root, join(world.root, "team-registry/run-logs"));
    await expect(world.person("run_log")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(readdirSync(elsewhere.root).filter((name) => name.endsWith(".md"))).toEqual([]);
  });
});
