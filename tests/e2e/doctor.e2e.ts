/** What doctor_check says of the rules is what the client shows: with its hooks, and with the hooks taken away. */
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runClaude } from "./support/client.ts";
import { openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, teamwright, teamwrightJson, tool, until } from "./support/teamwright.ts";

const oneTeam = "teams:\n  - id: main\n    agents: [ada]\n";
const draft = { title: "Write the parser", acceptance: "It parses.", scope: ["parser.txt"] };

interface Said {
  readonly ok: boolean;
  readonly checks: readonly { readonly check: string; readonly ok: boolean; readonly detail: string }[];
  readonly rules: readonly {
    readonly rule: string;
    readonly place: string;
    readonly state: string;
    readonly ok: boolean;
  }[];
}

/** The client hands a structured answer to its model as JSON. */
const read = (text: string): Said => JSON.parse(text);
const named = ({ rules }: Said, name: string) => rules.find(({ rule }) => rule === name);
const namesOf = ({ rules }: Said, place: string, state: string) =>
  rules.filter((rule) => rule.place === place && rule.state === state).map(({ rule }) => rule);

describe("the newest client", () => {
  test("in a session every rule of the hooks is enforced once its hook was seen, and says so (design §1.6)", async () => {
    await using box = await openSandbox({ "teamwright.yaml": `${oneTeam}bridge: on\n` });
    await using model = await startModel();
    const { project } = box;
    let early = "";
    let late = "";
    const lead = model.actor("lead", async (turn) => {
      early = (await turn.must(tool("doctor_check"))).text;
      await turn.must(tool("task_create"), draft);
      const { key } = readStore(project).task(draft.title);
      await turn.must("Bash", { command: "echo fine", description: "Echo" });
      const agent = { description: "ada", name: "ada", subagent_type: "teamwright:builder", run_in_background: true };
      await turn.must("Agent", { ...agent, prompt: `[actor:ada] Work on ${key}.` });
      await until(() => readStore(project).agent("ada").ended_at !== null, "ada has stopped");
      await turn.say("Waiting.");
      late = (await turn.must(tool("doctor_check"))).text;
      return "over";
    });
    model.actor("ada", async (turn) => {
      await turn.must(tool("task_claim"));
      await turn.must(tool("task_close"), { id: readStore(project).task(draft.title).key });
    });
    const at = { version: "newest", cwd: project, home: box.home, pluginDir } as const;
    expect(await runClaude({ ...at, prompt: "[actor:lead] Begin.", model })).toMatchObject({ code: 0, text: "over" });
    model.check();
    expect(lead.calls.filter(({ tool: name }) => name === tool("doctor_check"))).toHaveLength(2);

    // at the start only its own call's hook has come
    expect(named(read(early), "store-files")?.state).toBe("audit");
    expect(named(read(early), "holders-only")?.state).toBe("enforced");
    expect(read(early).checks.find(({ check }) => check === "guard")?.detail).toBe("the client's hooks arrive");

    const said = read(late);
    const betweenTeams = ["coordinator-packet", "coordinator-words", "loans-told"]; // there is one
    expect([namesOf(said, "hook", "audit"), namesOf(said, "hook", "off")]).toEqual([[], betweenTeams]);
    expect(namesOf(said, "hook", "enforced").length).toBeGreaterThan(18);
    expect([said.ok, said.rules.filter(({ ok }) => !ok)]).toEqual([true, []]);

    // the canaries left nothing, and a person outside hears that hooks are not theirs to see
    const store = readStore(project);
    expect(JSON.stringify([store.tasks, store.agents, store.events])).not.toContain("canary");
    const outside = await teamwright({ project, home: box.home }, "doctor", "check", "--json");
    expect(outside.code).toBe(0);
    expect(namesOf(read(outside.stdout), "hook", "enforced")).toEqual([]);
    expect(namesOf(read(outside.stdout), "transaction", "enforced").length).toBeGreaterThan(12);
  });

  test("without its hooks the doctor says that nothing of them holds, and strict identity refuses every write", async () => {
    await using box = await openSandbox({ "teamwright.yaml": `${oneTeam}identity: strict\n` });
    await using model = await startModel();
    const { project } = box;
    const person = { project, home: box.home };
    const bare = join(box.root, "plugin");
    await cp(pluginDir, bare, { recursive: true });
    await writeFile(join(bare, "hooks/hooks.json"), JSON.stringify({ hooks: {} }));
    await teamwrightJson(person, "task", "create", draft.title, "--acceptance", "It parses.", "--scope", "parser.txt");
    const { key } = readStore(project).task(draft.title);
    const count = readStore(project).events.length;
    const writes: readonly (readonly [string, object])[] = [
      ["task_create", { title: "Sneak in here" }],
      ["task_claim", { id: key }],
      ["task_update", { id: key, comment: "Mine." }],
      ["task_close", { id: key }],
      ["board_move", { id: key, to: "in_progress" }],
      ["unit_plan", { tasks: [key] }],
      ["unit_start", { unit: key }],
      ["unit_submit", { unit: key }],
      ["unit_validate", { unit: key }],
      ["unit_commit", { unit: key }],
      ["review_open", { unit: key }],
      ["file_lease", { task: key, paths: ["parser.txt"] }],
      ["message_send", { to: "lead", text: "Hello." }],
      ["checkpoint_request", { title: "May I?", kind: "named" }],
      ["knowledge_add", { fact: "Nobody has written the parser yet.", kind: "pattern" }],
    ];
    let said = "";
    const lead = model.actor("lead", async (turn) => {
      said = (await turn.must(tool("doctor_check"))).text;
      for (const [name, input] of writes) await turn.call(tool(name), { ...input });
      await turn.must(tool("task_show"), { id: key });
      return "over";
    });
    const at = { version: "newest", cwd: project, home: box.home, pluginDir: bare } as const;
    expect(await runClaude({ ...at, prompt: "[actor:lead] Begin.", model })).toMatchObject({ code: 0, text: "over" });
    model.check();

    const answer = read(said);
    expect(answer.ok).toBe(false);
    expect(answer.checks.find(({ check }) => check === "guard")).toMatchObject({
      ok: false,
      detail: expect.stringContaining("no hook of the client came before this call"),
    });
    expect(namesOf(answer, "hook", "enforced")).toEqual([]);
    for (const rule of ["fresh-reviewer", "store-files", "command-line", "verdict-from-reviewer"])
      expect(named(answer, rule)).toMatchObject({ state: "audit", ok: false });
    expect(named(answer, "known-callers")).toMatchObject({ state: "enforced" });

    const tried = lead.calls.filter(({ tool: name }) => writes.some(([write]) => tool(write) === name));
    expect(tried.map(({ tool: name, result }) => [name, result?.isError, result?.text.split(":")[0]])).toEqual(
      writes.map(([name]) => [tool(name), true, "FORBIDDEN"]),
    );
    for (const { result } of tried) expect(result?.text).toContain("Nobody vouches for this caller");
    expect(readStore(project).events).toHaveLength(count);
    expect((await teamwright(person, "doctor", "check")).code).toBe(0);
  });
});
