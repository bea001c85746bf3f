import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { agentPrincipal, findAgent } from "../../mcp-server/src/features/agent/agent.store.ts";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute } from "../../mcp-server/src/kernel/execute.ts";
import { expectSound, LEASE_OVER, newTask, personRefusal, refusal } from "../support/answers.ts";
import { askWrite, refusedWrite } from "../support/files.ts";
import { type Actor, dialects, openWorld, type World } from "../support/world.ts";

const map = `
ownership:
  - { paths: ["**"], owner: lead }
  - { paths: ["src/**"], owner: builder }
  - { paths: ["src/api/**", docs/], owner: ada, notes: The public surface }
  - { paths: ["tests/**"], owner: team:quality }
  - { paths: ["shared/**"], owner: "*" }
protected: ["examples/**"]
teams:
  - { id: core, agents: [ada, bob] }
  - { id: quality, agents: [tess] }
`;

/** An operation that is no tool, as the command line runs it for this agent. */
async function runAs({ runtime }: World, { id }: Actor, name: string, input: Record<string, unknown>) {
  const [operation, agent] = [findOperation(name), await findAgent(runtime.store.db, id)];
  if (!operation || !agent) throw new Error(`no ${name} or no agent ${id}`);
  return execute(runtime, operation, input, { principal: agentPrincipal(agent) });
}

const spawnAll = async (world: World) => ({
  lead: world.lead(),
  ada: await world.spawn("ada"),
  bob: await world.spawn("bob"),
  tess: await world.spawn("tess", { role: "teamwright:tester" }),
});

describe.each(dialects)("files on %s", (dialect) => {
  test("the most specific glob decides, by name, role and team; the refusal names the owner (FO-01, FO-04, FO-06)", async () => {
    await using world = await openWorld({ dialect, config: map });
    const { lead, ada, bob, tess } = await spawnAll(world);
    for (const tool of ["Edit", "MultiEdit", "Write", "NotebookEdit"] as const) {
      expect(await refusedWrite(world, ada, "src/api/a.ts", { tool })).toBeUndefined();
      expect(await refusedWrite(world, bob, "src/api/a.ts", { tool })).toBe(
        "src/api/a.ts belongs to ada (src/api/**: The public surface). Ask its owner by message to make the change, or the lead to put the file into the scope of your task (task_update with scope), which leases it to you.",
      );
    }
    expect(await refusedWrite(world, bob, "src/other.ts")).toBeUndefined();
    expect(await refusedWrite(world, bob, "docs/a/b.md")).toContain("belongs to ada (docs/");
    expect(await refusedWrite(world, tess, "src/other.ts")).toContain("belongs to builder (src/**)");
    expect(await refusedWrite(world, tess, "tests/a.test.ts")).toBeUndefined();
    expect(await refusedWrite(world, ada, "tests/a.test.ts")).toContain("belongs to team:quality");
    expect(await refusedWrite(world, tess, "README.md")).toContain("belongs to lead (**)");
    expect(await refusedWrite(world, tess, "shared/x")).toBeUndefined();
    expect(await refusedWrite(world, lead, "src/api/a.ts")).toBeUndefined();
    expect(await refusedWrite(world, bob, join(tmpdir(), "notes.md"))).toBeUndefined();
    const { events } = await world.person("event_list", { limit: 200 });
    const refused = events.filter((event: { type: string }) => event.type === "file.refused");
    expect(refused[0]).toMatchObject({
      subject: bob.id,
      after: { path: "src/api/a.ts", tool: "Edit", why: "owned" },
    });
    await expectSound(world);
  });

  test("protected files are for people alone, whatever their case (FO-03, C-20)", async () => {
    await using world = await openWorld({ dialect, config: map });
    const { lead, ada } = await spawnAll(world);
    const closed = ["teamwright.yaml", ".env", "apps/web/.env.local", ".git/config", ".ENV", "examples/a.ts"];
    for (const path of closed)
      for (const actor of [lead, ada])
        expect(await refusedWrite(world, actor, path), path).toMatch(
          actor === ada && path === "teamwright.yaml" ? /no agent writes it/ : /is protected .*only people change it/,
        );
    expect(await refusedWrite(world, lead, ".env.example")).toBeUndefined();
    expect(await refusedWrite(world, lead, ".teamwright/state.db")).toContain("written by the teamwright tools only");
  });

  test("nobody is refused where nothing is declared and no run is led", async () => {
    await using world = await openWorld({ dialect });
    const [lead, ada, bob] = [world.lead(), await world.spawn("ada"), await world.spawn("bob")];
    await ada.must("task_claim", { id: await newTask(lead, { title: "Write the parser", scope: ["src/**"] }) });
    for (const path of ["teamwright.yaml", ".env", "src/a.ts"])
      for (const actor of [lead, bob]) expect(await askWrite(world, actor, path)).toBeUndefined();
  });

  test("agents write no teamwright.yaml and no store, in a run and outside, by whatever path (FO-03)", async () => {
    await using world = await openWorld({ dialect, config: "gates: []\n" });
    const [lead, ada] = [world.lead(), await world.spawn("ada")];
    mkdirSync(join(world.root, "free"));
    symlinkSync("../teamwright.yaml", join(world.root, "free/settings.yaml"));
    symlinkSync("../.teamwright", join(world.root, "free/store"));
    const closed = ["teamwright.yaml", "Teamwright.YAML", "free/../teamwright.yaml", "free/settings.yaml"];
    for (const tool of ["Edit", "MultiEdit", "Write", "NotebookEdit"] as const) {
      for (const path of closed)
        expect(await refusedWrite(world, ada, path, { tool }), path).toMatch(
          /^teamwright\.yaml binds .*no agent writes it/,
        );
      expect(await refusedWrite(world, ada, "free/store/state.db", { tool })).toContain(
        "written by the teamwright tools",
      );
      expect(await refusedWrite(world, ada, ".teamwright/state.db", { tool })).toContain(
        "written by the teamwright tools",
      );
      for (const path of ["docs/teamwright.yaml", "teamwright.yaml.bak", "src/a.ts"])
        expect(await refusedWrite(world, ada, path, { tool }), path).toBeUndefined();
      expect(await refusedWrite(world, lead, "teamwright.yaml", { tool })).toBeUndefined();
    }
    const { events } = await world.person("event_list", { limit: 500 });
    expect(events.find((event: { type: string }) => event.type === "file.refused")).toMatchObject({
      subject: ada.id,
      after: { path: "teamwright.yaml", tool: "Edit", why: "configuration" },
    });
    await using off = await openWorld({ config: "guard: off\n" });
    expect(await refusedWrite(off, await off.spawn("ada"), "teamwright.yaml")).toBeUndefined();
    await expectSound(world);
  });

  test("a claim leases the scope and gives it back with the claim, in each of its ends (C-13, FO-07)", async () => {
    await using world = await openWorld({ dialect, config: map });
    const { lead, ada, bob, tess } = await spawnAll(world);
    const make = (title: string, scope: string[]) => newTask(lead, { title, scope, team: "core" });
    const one = await make("Write the parser there", ["src/api/parser/**", "README.md"]);
    const two = await make("Mend the parser there", ["src/api/**/lex.ts"]);
    await bob.must("task_claim", { id: one });
    expect(await refusedWrite(world, bob, "src/api/parser/a.ts")).toBeUndefined();
    expect(await refusedWrite(world, bob, "README.md")).toBeUndefined();
    expect(await refusedWrite(world, ada, "src/api/parser/a.ts")).toContain(`leased to bob for ${one}`);
    expect(await refusedWrite(world, tess, "README.md")).toContain("Ask its holder by message");
    expect((await ada.call("task_claim", { id: two })).error).toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining(`which bob has leased for ${one}`),
    });
    expect(await ada.must("task_claim")).toEqual({
      files_taken: [`${two} waits for files that bob has leased for ${one}.`],
      next: ["task_ready", "brief_show"],
    });
    const free = await make("Write the docs there", ["docs/**"]);
    expect((await ada.must("task_claim")).task.id).toBe(free);

    await bob.must("board_move", { id: one, to: "review" });
    expect(await refusedWrite(world, ada, "src/api/parser/a.ts")).toContain("leased to bob");
    await lead.must("task_close", { id: one });
    expect(await refusedWrite(world, ada, "src/api/parser/a.ts")).toBeUndefined();
    await bob.must("task_claim", { id: two });
    await bob.must("task_update", { id: two, release: "no time" });
    expect(await refusedWrite(world, ada, "src/api/x/lex.ts")).toBeUndefined();
    await bob.must("task_claim", { id: two });
    expect(await refusedWrite(world, ada, "src/api/x/lex.ts")).toContain("leased to bob");
    await lead.must("task_update", { id: two, scope: ["src/b.ts"] });
    expect(await refusedWrite(world, ada, "src/api/x/lex.ts")).toBeUndefined();
    expect(await refusedWrite(world, ada, "src/b.ts")).toContain("leased to bob");
    world.clock.advance(LEASE_OVER);
    await lead.must("task_ready");
    expect(await refusedWrite(world, ada, "src/b.ts")).toBeUndefined();
    const { files } = await world.person("file_owner", { paths: [join(world.root, "src/b.ts"), "src/api/a.ts"] });
    expect(files).toMatchObject([
      { path: "src/b.ts", owner: "builder", why: "ownership src/**" },
      { path: "src/api/a.ts", owner: "ada", glob: "src/api/**", notes: "The public surface" },
    ]);
    await expectSound(world);
  });

  test("an agent leases what it may ask for, never what another has (C-13)", async () => {
    await using world = await openWorld({ dialect, config: map });
    const { lead, ada, bob } = await spawnAll(world);
    const one = await newTask(lead, { title: "Write the first part", team: "core" });
    const two = await newTask(lead, { title: "Write the second part", team: "core" });
    await ada.must("task_claim", { id: one });
    await bob.must("task_claim", { id: two });
    expect(await bob.must("file_lease", { task: two, paths: ["./src//web/", "src/main.ts"] })).toEqual({
      task: two,
      paths: ["src/web/**", "src/main.ts"],
      next: ["task_update", "task_close"],
    });
    expect(await refusedWrite(world, ada, "src/web/x.ts")).toContain("leased to bob");
    const asks = (actor: typeof ada, task: string, path: string) =>
      refusal(actor.call("file_lease", { task, paths: [path] }));
    expect(await asks(ada, one, "src/web/x.ts")).toBe("CONFLICT");
    expect(await asks(ada, one, "src/*/y.ts")).toBe("CONFLICT");
    expect(await asks(ada, one, "src/MAIN.ts")).toBe("CONFLICT");
    expect(await asks(bob, two, "src/api/x.ts")).toBe("FORBIDDEN");
    expect(await asks(bob, two, "src/**")).toBe("FORBIDDEN");
    expect(await asks(bob, two, "README.md")).toBe("FORBIDDEN");
    expect(await asks(bob, one, "src/other.ts")).toBe("FORBIDDEN");
    expect(await asks(ada, one, "src/api/**")).toBe("accepted");
    expect(await asks(bob, two, "../elsewhere")).toBe("INVALID_INPUT");
    const giveBack = (actor: typeof ada, input: Record<string, unknown>) => runAs(world, actor, "file_release", input);
    expect(await giveBack(bob, { task: two, paths: ["SRC/web/"] })).toMatchObject({ paths: ["src/web/**"] });
    expect(await refusedWrite(world, ada, "src/web/x.ts")).toBeUndefined();
    expect(await asks(ada, one, "src/web/x.ts")).toBe("accepted");
    expect(await personRefusal(giveBack(ada, { task: two }))).toBe("FORBIDDEN");
    await world.person("file_release", { task: two });
    expect(await personRefusal(giveBack(bob, { task: two }))).toBe("NOT_FOUND");
    const open = await newTask(lead, { title: "Write the third part", team: "core" });
    expect((await lead.call("file_lease", { task: open, paths: ["a"] })).error).toMatchObject({
      code: "RULE_VIOLATED",
      next: "task_claim",
    });
  });

  test("an agent cannot make another's files its own by widening its scope", async () => {
    await using world = await openWorld({ dialect, config: map });
    const { lead, bob } = await spawnAll(world);
    const given = await newTask(lead, { title: "Write the first part", team: "core", scope: ["src/a.ts"] });
    await bob.must("task_claim", { id: given });
    const widened = await bob.call("task_update", { id: given, scope: ["src/a.ts", "src/api/**"] });
    expect(widened.error).toMatchObject({ code: "FORBIDDEN", message: expect.stringContaining("belongs to ada") });
    await bob.must("task_close", { id: given });
    const own = await newTask(bob, { title: "Write what I like", scope: ["**"] });
    await bob.must("task_claim", { id: own });
    expect(await refusedWrite(world, bob, "src/api/a.ts")).toContain("belongs to ada");
    await lead.must("task_update", { id: own, scope: ["src/api/**"] });
    expect(await refusedWrite(world, bob, "src/api/a.ts")).toBeUndefined();
  });

  test("two claims of the same files at once: one wins (C-13)", async () => {
    await using world = await openWorld({ dialect, config: "ownership_mode: strict\nwip_limits: { per_agent: 20 }\n" });
    const lead = world.lead();
    const agents = await Promise.all(["a", "b", "c", "d"].map((name) => world.spawn(name)));
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1)
      ids.push(await newTask(lead, { title: `Write part ${n} there`, scope: [`src/${n}*/**`, "src/{x,y}.ts"] }));
    const answers = await Promise.all(agents.map((agent, n) => agent.call("task_claim", { id: ids[n] })));
    expect(answers.filter((answer) => answer.task)).toHaveLength(1);
    const leases = await Promise.all(
      agents.map((agent, n) => agent.call("file_lease", { task: ids[n], paths: ["lib/*.ts", `lib/${n}.ts`] })),
    );
    expect(leases.filter((answer) => answer.paths)).toHaveLength(1);
    const nextOnes = await Promise.all(agents.map((agent) => agent.must("task_claim")));
    expect(nextOnes.filter((answer) => answer.task).length).toBeLessThanOrEqual(1);
  });

  test("warn tells and lets pass, off watches protected files alone; the lead is bound in a run if it is to be (TC-12)", async () => {
    const config = 'ownership: [{ paths: ["src/**"], owner: ada }]\n';
    {
      await using world = await openWorld({ dialect, config: `${config}ownership_mode: warn\n` });
      const bob = await world.spawn("bob");
      const { hookSpecificOutput } = await askWrite(world, bob, "src/a.ts");
      expect(hookSpecificOutput.permissionDecision).toBeUndefined();
      expect(hookSpecificOutput.additionalContext).toContain("src/a.ts belongs to ada (src/**).");
      expect(await refusedWrite(world, bob, ".env")).toContain("is protected");
    }
    {
      await using world = await openWorld({ dialect, config: `${config}ownership_mode: off\nprotected: [keep/]\n` });
      const bob = await world.spawn("bob");
      expect(await askWrite(world, bob, "src/a.ts")).toBeUndefined();
      expect(await refusedWrite(world, bob, "keep/a")).toContain("is protected");
    }
    await using world = await openWorld({ dialect, config: `${config}lead_edits: owned\n` });
    const lead = world.lead();
    expect(await refusedWrite(world, lead, "src/a.ts")).toBeUndefined();
    const id = await newTask(lead, { title: "Write the parser there", acceptance: "It parses.", scope: ["lib/**"] });
    await lead.must("unit_plan", { tasks: [id], about: "9" });
    expect(await refusedWrite(world, lead, "src/a.ts")).toContain("belongs to ada");
    expect(await refusedWrite(world, lead, "free.md")).toBeUndefined();
  });
});

test("a file has one owner by every way to it: worktree, link, .., relative path, circle of links (FO-01)", async () => {
  await using world = await openWorld({
    config: 'ownership: [{ paths: ["src/**"], owner: ada }]\nprotected: [locked]\n',
  });
  const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
  const { root } = world;
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, stdio: "pipe" });
  git("init", "-q", "-b", "main");
  git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "Begin");
  git("worktree", "add", "-q", ".claude/worktrees/agent-1");
  const outside = realpathSync(mkdtempSync(join(tmpdir(), "teamwright-outside-")));
  try {
    git("worktree", "add", "-q", "-b", "far", join(outside, "far"));
    mkdirSync(join(root, "src/deep"), { recursive: true });
    mkdirSync(join(root, "free"));
    writeFileSync(join(root, "src/a.ts"), "");
    symlinkSync("../src", join(root, "free/link"));
    symlinkSync("../src/new.ts", join(root, "free/dangling.ts"));
    symlinkSync("circle", join(root, "free/circle"));
    symlinkSync(root, join(outside, "project"));
    symlinkSync("../src/deep", join(root, "free/deep"));
    writeFileSync(join(root, "free/.git"), "gitdir: ../.git/worktrees/agent-1\n");
    const refused = [
      "src/a.ts",
      "src/new/b.ts",
      ".claude/worktrees/agent-1/src/a.ts",
      join(outside, "far/src/a.ts"),
      join(outside, "project/src/a.ts"),
      "free/link/a.ts",
      "free/link/not/there.ts",
      "free/dangling.ts",
      "free/../src/a.ts",
      "free/deep/../x.ts",
      `${root}/nowhere/../src/a.ts`,
    ];
    for (const path of refused) {
      expect(await refusedWrite(world, bob, path), path).toMatch(/belongs to ada/);
      expect(await refusedWrite(world, ada, path), path).toBeUndefined();
    }
    expect(await refusedWrite(world, bob, "a.ts", { cwd: join(root, "src") })).toContain("src/a.ts belongs to ada");
    const log = vi.spyOn(process.stderr, "write");
    expect(await refusedWrite(world, bob, "free/circle")).toMatch(
      /^\S+free\/circle leads into a circle of links, to no file\.$/,
    );
    expect(log).not.toHaveBeenCalled();
    log.mockRestore();
    expect((await world.person("file_owner", { paths: ["free/circle", "src/a.ts"] })).files).toMatchObject([
      { path: "free/circle", why: expect.stringContaining("a circle of links") },
      { path: "src/a.ts", owner: "ada" },
    ]);
    expect(await refusedWrite(world, bob, join(outside, "far/locked"))).toContain("is protected");
    expect(await refusedWrite(world, bob, "free/src/a.ts")).toBeUndefined();
    expect(await refusedWrite(world, bob, join(outside, "src/a.ts"))).toBeUndefined();
    expect(await refusedWrite(world, bob, `${root}-other/src/a.ts`)).toBeUndefined();
    const nameless = await world.hook({ event: "PreToolUse", agent_id: bob.id, tool_name: "Edit", tool_input: "{}" });
    expect(nameless.hookSpecificOutput.permissionDecision).toBe("deny");
  } finally {
    rmSync(outside, { recursive: true, force: true });
  }
});
