import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { childEnvironment } from "../mcp-server/src/kernel/child-environment.ts";
import { compileCache } from "./support/compile-cache.ts";

vi.setConfig({ testTimeout: 90_000 }); // a process per command

const launcher = join(import.meta.dirname, "../bin/teamwright");

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "teamwright-cli-"));
});
afterEach(() => {
  rmSync(project, { recursive: true, force: true });
});

/** Runs the real program in the test's project. */
function teamwright(
  args: readonly string[],
  options: { input?: string | Buffer; env?: Record<string, string> } = {},
): Promise<Run> {
  const names = { USER: "mallory", USERNAME: "mallory" };
  const env = { PATH: process.env.PATH ?? "", HOME: project, ...names, ...compileCache, ...options.env };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [launcher, ...args], { cwd: project, env }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
    child.stdin?.end(options.input ?? "");
  });
}

async function json(args: readonly string[], code = 0) {
  const run = await teamwright([...args, "--json"]);
  expect(run.code, run.err + run.out).toBe(code);
  return JSON.parse(run.out);
}

describe("a day's work", () => {
  test("create, ready, claim, close and list", async () => {
    const { task } = await json([
      "task",
      "create",
      "Add a login page",
      "--priority",
      "1",
      "--labels",
      "web,auth",
      "--scope",
      "src/{a,b}.ts",
      "--scope",
      "docs/**",
    ]);
    expect(task).toMatchObject({ title: "Add a login page", state: "ready", priority: 1 });
    await json(["task", "create", "Test the login page", "--blocked-by", task.id]);

    expect(await json(["task", "ready"])).toMatchObject({
      total: 1,
      tasks: [{ id: task.id, title: "Add a login page" }],
    });
    const claimed = await json(["task", "claim", task.id]);
    expect(claimed.task).toMatchObject({
      holder: userInfo().username,
      labels: ["auth", "web"],
      scope: ["src/{a,b}.ts", "docs/**"],
    });
    expect(await teamwright(["task", "update", task.id, "--comment", "half done"])).toEqual({
      code: 0,
      out:
        `Updated ${task.id} (in_progress, P1, team main, held by ${userInfo().username}): Add a login page\n` +
        "Next: teamwright task update, teamwright board move, teamwright task close\n",
      err: "",
    });
    expect((await teamwright(["task", "close", task.id, "--reason", "It works."])).out).toMatch(
      /^Closed as done: .*\nReady now: .* \(ready, P2, team main\): Test the login page\nNext: teamwright task ready\n$/,
    );

    const list = await teamwright(["task", "list", "--status", "open,closed"]);
    expect(list.out).toMatch(/^2 tasks\n/);
    expect(list.out).not.toContain("\u001b");
    expect(await json(["task", "ready", "--limit", "0"])).toMatchObject({
      total: 1,
      tasks: [{ title: "Test the login page" }],
    });
  });

  test("several tasks from JSON, from a file and from standard input", async () => {
    const drafts = [
      { title: "Write the guide", ref: "guide" },
      { title: "Print the guide", blocked_by: ["guide"] },
    ];
    expect(await json(["task", "create", "--tasks", JSON.stringify(drafts)])).toMatchObject({ total: 2 });
    writeFileSync(join(project, "drafts.json"), JSON.stringify(drafts));
    expect(await json(["task", "create", "--tasks", "@drafts.json"])).toMatchObject({ total: 2 });
    const run = await teamwright(["task", "create", "--input", "@-", "--priority", "0", "--json"], {
      input: '{"title":"Read it","priority":4}',
    });
    expect(JSON.parse(run.out).task).toMatchObject({ title: "Read it", priority: 0 });
  });

  test("the same idempotency key gives the same answer", async () => {
    const args = ["task", "create", "Add a login page", "--idempotency-key", "k1"];
    expect(await json(args)).toEqual(await json(args));
    expect((await json(["task", "list"])).total).toBe(1);
  });

  test("the person is who the operating system says, whatever the environment says (C-01)", async () => {
    const { task } = await json(["task", "create", "Add a login page"]);
    expect((await json(["task", "show", task.id])).task.created_by).toBe(userInfo().username);
    const { events } = await json(["event", "list"]);
    expect(events).toMatchObject([{ by: userInfo().username, kind: "human" }]);
  });

  test("the program run by CI acts as a service", async () => {
    const run = await teamwright(["task", "create", "Mend the build", "--json"], { env: { CI: "true" } });
    const { task } = await json(["task", "show", JSON.parse(run.out).task.id]);
    expect(task.created_by).toBe("ci");
  });

  test.runIf(process.platform === "linux").each([
    ["a person's own", {}, "", 0],
    ["a session's", { CLAUDECODE: "1" }, "", 1],
    ["nobody's, as a gate or a hook of git has started it", { ...childEnvironment(), CI: "" }, "", 1],
    ["a session's that hides it", { CLAUDECODE: "1" }, "env -u CLAUDECODE -u CLAUDE_CODE_SESSION_ID ", 1],
  ])("a command that has left its parents is still %s (design §3)", async (_, env, before, code) => {
    const command = `sleep 0.3; ${before}"${process.execPath}" "${launcher}" task create "Sneak in here" > out 2> err; echo $? > code`;
    const shell = `setsid sh -c '${command}' < /dev/null > /dev/null 2>&1 &`;
    execFile("sh", ["-c", shell], {
      cwd: project,
      env: { PATH: process.env.PATH ?? "", HOME: project, ...compileCache, ...env },
    });
    const text = (name: string) => readFileSync(join(project, name), "utf8");
    await vi.waitFor(() => expect(text("code")).not.toBe(""), { timeout: 30_000, interval: 100 });
    expect(text("code")).toBe(`${code}\n`);
    if (code === 1) expect(text("err")).toContain("Nobody vouches for this caller");
    expect((await json(["task", "list"])).total).toBe(code === 0 ? 1 : 0);
  });

  test("quiet prints nothing but errors", async () => {
    expect(await teamwright(["task", "create", "Add a login page", "--quiet"])).toEqual({ code: 0, out: "", err: "" });
    expect((await teamwright(["task", "show", "nope", "-q"])).err).toContain("NOT_FOUND");
  });
});

describe("refusals", () => {
  test("of the project end with 1 and name the next command", async () => {
    const run = await teamwright(["task", "show", "nope"]);
    expect(run.code).toBe(1);
    expect(run.out).toBe("");
    expect(run.err).toContain("NOT_FOUND: ");
    expect(run.err).toContain("Next: `teamwright task list`");
  });

  test("are JSON on stdout with --json, with the same exit code", async () => {
    expect(await json(["task", "show", "nope"], 1)).toEqual({
      error: { code: "NOT_FOUND", message: expect.any(String), next: "task_list" },
    });
    expect(await json(["task", "creat"], 2)).toMatchObject({ error: { code: "INVALID_INPUT" } });
    expect(await json(["task", "create", "x", "--priority", "9"], 2)).toMatchObject({
      error: { code: "INVALID_INPUT", problems: [expect.stringContaining("priority")] },
    });
  });

  test("wrong usage tells every problem at once and opens no store", async () => {
    const run = await teamwright(["task", "update", "--priority", "high", "--stauts=open", "--block"]);
    expect(run.code).toBe(2);
    expect(run.err).toContain("--priority takes a number");
    expect(run.err).toContain("unknown flag --stauts");
    expect(run.err).toContain("--block needs a value");
    expect(run.err).toContain("ID is missing");
    expect(run.err).toContain("Help: `teamwright task update --help`");
    expect(readdirSync(project)).not.toContain(".teamwright");
  });

  test("a broken configuration ends with 2 and its problems", async () => {
    writeFileSync(join(project, "teamwright.yaml"), "clams:\n  lease_seconds: 10\n");
    const run = await teamwright(["task", "list"]);
    expect(run.code).toBe(2);
    expect(run.err).toContain("teamwright.yaml:1:1 unknown key clams; did you mean claims?");
  });

  test("of JSON are JSON however the flag is written", async () => {
    const run = await teamwright(["task", "show", "nope", "--json=true"]);
    expect(JSON.parse(run.out)).toMatchObject({ error: { code: "NOT_FOUND" } });
  });

  test.runIf(process.platform === "linux")("what cannot be written was not done: a full disk ends with 2", async () => {
    const full = async (flags: string) =>
      new Promise<{ code: unknown; err: string }>((resolve) => {
        const command = `"${process.execPath}" "${launcher}" task list ${flags} > /dev/full`;
        const env = { PATH: process.env.PATH ?? "", HOME: project, ...compileCache };
        execFile("sh", ["-c", command], { cwd: project, env }, (error, _, err) => resolve({ code: error?.code, err }));
      });
    const [result, refusal] = await Promise.all([full("--json"), full("--nonsense --json")]);
    expect([result.code, refusal.code]).toEqual([2, 2]);
    expect(result.err).toContain("Cannot write standard output: the disk is full.");
    expect(refusal.err).toContain("unknown flag --nonsense");
  });

  test.runIf(process.platform !== "win32")("a folder that is gone is told in one sentence", async () => {
    const within = (folder: string, args: string, more: NodeJS.ProcessEnv = {}) =>
      new Promise<{ code: unknown; err: string }>((resolve) => {
        const command = `mkdir ${folder} && cd ${folder} && rmdir ../${folder} && exec "${process.execPath}" "${launcher}" ${args}`;
        const env = { PATH: process.env.PATH ?? "", HOME: project, ...compileCache, ...more };
        const child = execFile("sh", ["-c", command], { cwd: project, env }, (error, _, err) =>
          resolve({ code: error?.code ?? 0, err }),
        );
        child.stdin?.end();
      });
    const [person, hook] = await Promise.all([
      within("gone", "task list"),
      within("gone-too", "hook session-end", { CLAUDE_PROJECT_DIR: project }),
    ]);
    expect(person.err).toContain("teamwright: the folder you are in is gone");
    expect(person.err).not.toContain("    at ");
    expect(hook).toEqual({ code: 0, err: "" }); // whose project it is needs no folder
  });

  test("a store that cannot be opened ends with 3", async () => {
    mkdirSync(join(project, ".teamwright", "state.db"), { recursive: true });
    expect((await teamwright(["task", "list"])).code).toBe(3);
  });

  test("a store of a newer program that this one cannot read ends with 3, and says so", async () => {
    mkdirSync(join(project, ".teamwright"));
    const db = new Sqlite(join(project, ".teamwright", "state.db"));
    db.exec("create table task (what_is_to_come text)");
    db.pragma("user_version = 4711");
    db.close();
    const run = await teamwright(["task", "list", "--json"]);
    expect(run.code, run.err).toBe(3);
    expect(JSON.parse(run.out).error).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("4711") });
    expect(run.err).toMatch(/^The store has schema version 4711 .* Update Teamwright to write\.\n$/);
  });
});

const misspelt: readonly (readonly [args: string[], suggestion: string])[] = [
  [["tsk", "list"], "teamwright task?"],
  [["task", "lst"], "teamwright task list?"],
  [["ready"], "teamwright task ready?"],
  [["task", "list", "--serch", "x"], "--search?"],
  [["task", "list", "--status", "opn"], "did you mean open?"],
  [["task", "create", "Add", "a", "page"], "what has several words goes in quotes"],
  [["task", "create", "--title", "--json"], "--title=--json"],
  [["task", "--json"], "needs a command"],
  [["completion", "fihs"], "did you mean fish?"],
  [["help", "tsk"], "teamwright task?"],
];

test("misspelt commands, flags and values are told what was meant", async () => {
  const runs = await Promise.all(misspelt.map(([args]) => teamwright(args)));
  for (const [index, run] of runs.entries()) {
    expect(run.code).toBe(2);
    expect(run.err + run.out).toContain(misspelt[index]?.[1]);
  }
});

test("a checkout without its packages says what to run, whatever the Node; a worktree inside another takes that one's", async () => {
  const checkout = join(project, "worktree");
  cpSync(join(launcher, ".."), join(checkout, "bin"), { recursive: true });
  mkdirSync(join(checkout, "mcp-server", "src"), { recursive: true });
  writeFileSync(join(checkout, "mcp-server", "src", "main.ts"), "");
  const help = () =>
    new Promise<Run>((resolve) => {
      execFile(process.execPath, [join(checkout, "bin", "teamwright"), "help"], (error, out, err) => {
        resolve({ code: error ? Number(error.code) : 0, out, err });
      });
    });
  const run = await help();
  expect([run.code, run.out]).toEqual([1, ""]);
  expect(run.err).toMatch(/^teamwright: the packages of this checkout are missing; run `npm ci` in .* first\.\n$/);
  mkdirSync(join(project, "node_modules", "zod"), { recursive: true });
  writeFileSync(join(project, "node_modules", "zod", "index.js"), "");
  expect(await help()).toEqual({ code: 0, out: "", err: "" });
});

describe("help", () => {
  test("of the program, of a noun and of a command, without a store", async () => {
    for (const args of [[], ["--help"], ["help"]]) {
      const run = await teamwright(args);
      expect(run.code).toBe(0);
      expect(run.out).toContain("Usage: teamwright NOUN VERB");
      expect(run.out).toMatch(/^ {2}task +create, ready, claim/m);
    }
    expect((await teamwright(["task"])).out).toContain("claim [ID]");
    const command = await teamwright(["board", "move", "--help"]);
    expect(command.out).toContain("Usage: teamwright board move ID TO [--flags]");
    expect((await teamwright(["help", "board", "move"])).out).toBe(command.out);
    expect(readdirSync(project)).not.toContain(".teamwright");
  });

  test("is one JSON document with --json, and the completion script too", async () => {
    const [all, noun, one, script] = await Promise.all([
      json([]),
      json(["help", "task"]),
      json(["task", "claim", "--help"]),
      json(["completion", "bash"]),
    ]);
    expect(all.commands.length).toBeGreaterThan(noun.commands.length);
    expect(noun.commands).toContainEqual(one.commands[0]);
    expect(one.commands).toMatchObject([{ command: "teamwright task claim", usage: expect.any(String) }]);
    expect(script).toEqual({ shell: "bash", script: expect.stringContaining("_teamwright") });
  });

  test("the version is package.json's", async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8"));
    expect((await teamwright(["--version"])).out).toBe(`teamwright ${version}\n`);
  });

  test("bash completes nouns, verbs, flags and values", async () => {
    const { out } = await teamwright(["completion", "bash"]);
    const complete = (...words: string[]) =>
      new Promise<string>((resolve) => {
        const script = `${out}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _teamwright; echo "\${COMPREPLY[@]}"`;
        execFile("bash", ["-c", script, "bash", "teamwright", ...words], (_, reply) => resolve(reply.trim()));
      });
    expect(await complete("boa")).toBe("board");
    expect(await complete("task", "cl")).toBe("claim close");
    expect(await complete("board", "move", "--re")).toBe("--reason");
    expect(await complete("task", "ready", "--rules", "")).toBe("teamwright beads");
    expect(await complete("task", "ready", "--rules", "=")).toBe("teamwright beads");
    expect(await complete("task", "ready", "--rules", "=", "b")).toBe("beads");
  });
});

describe("import and export", () => {
  test("a dry run changes nothing, the run does, and the file comes back", async () => {
    const issue = {
      id: "bd-1",
      title: "Mend the roof",
      status: "open",
      priority: 1,
      issue_type: "task",
      created_at: "2026-01-01T00:00:00Z",
      updated_at: "2026-01-01T00:00:00Z",
    };
    writeFileSync(join(project, "issues.jsonl"), `${JSON.stringify(issue)}\n`);
    expect(await json(["task", "import", "issues.jsonl", "--dry-run"])).toMatchObject({ dry_run: true, created: 1 });
    expect((await json(["task", "list"])).total).toBe(0);
    expect(await json(["task", "import", "issues.jsonl"])).toMatchObject({ dry_run: false, created: 1 });
    expect(await json(["task", "ready", "--rules", "beads", "--limit", "5"])).toMatchObject({
      total: 1,
      tasks: [{ id: "bd-1" }],
    });
    await json(["task", "export", "out.jsonl"]);
    expect(readFileSync(join(project, "out.jsonl"), "utf8")).toBe(`${JSON.stringify(issue)}\n`);
    expect(readdirSync(project).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("a row that is not UTF-8 is quarantined with the place, and takes no other with it (BD-01)", async () => {
    const row = (id: string) =>
      `${JSON.stringify({ id, title: `Mend the Dächer of ${id}`, updated_at: "2026-01-01T00:00:00Z" })}\n`;
    const bad = Buffer.from(row("bd-2"), "latin1");
    const bytes = Buffer.concat([Buffer.from(row("bd-1")), bad, Buffer.from(row("bd-3"))]);
    writeFileSync(join(project, "issues.jsonl"), bytes);
    const place = Buffer.byteLength(row("bd-1")) + bad.indexOf(0xe4);
    const dry = await json(["task", "import", "issues.jsonl", "--dry-run"]);
    const run = await json(["task", "import", "issues.jsonl"]);
    for (const { created, quarantined, rows } of [dry, run]) {
      expect({ created, quarantined }).toEqual({ created: 2, quarantined: 1 });
      expect(rows[1]).toMatchObject({ line: 2, reason: `the row is not UTF-8 from byte ${place} of the file on` });
    }
    const { tasks } = await json(["task", "list"]);
    expect(tasks.map(({ title }: { title: string }) => title).sort()).toEqual([
      "Mend the Dächer of bd-1",
      "Mend the Dächer of bd-3",
    ]);
    const piped = await teamwright(["task", "import", "-", "--json"], { input: bytes });
    expect(JSON.parse(piped.out)).toMatchObject({ kept: 2, quarantined: 1 });
  });

  test("a missing file ends with 1, a missing folder too", async () => {
    expect((await teamwright(["task", "import", "nope.jsonl"])).err).toContain("There is no file nope.jsonl.");
    expect((await teamwright(["task", "export", "no/where.jsonl"])).code).toBe(1);
  });
});
