import { execFile, execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compileCache } from "../support/compile-cache.ts";

vi.setConfig({ testTimeout: 90_000 }); // a process per command

const launcher = join(import.meta.dirname, "../../bin/teamwright");
const config = `
ownership:
  - { paths: ["src/**"], owner: ada }
  - { paths: ["docs/**"], owner: team:main }
protected: ["examples/**"]
teams: [{ id: main, agents: [ada, bob] }]
`;

let project: string;
let home: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "teamwright-diff-"));
  home = mkdtempSync(join(tmpdir(), "teamwright-home-"));
  git("init", "-q", "-b", "main");
  write("teamwright.yaml", config);
  for (const path of ["src/a.ts", "src/old name.ts", "docs/a.md", "examples/x", "free.md"]) write(path, "one\n");
  commit("Begin");
});
afterEach(() => {
  for (const folder of [project, home]) rmSync(folder, { recursive: true, force: true });
});

function git(...args: string[]): string {
  const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  return execFileSync("git", [...who, ...args], { cwd: project, encoding: "utf8", stdio: "pipe" }).trim();
}

function commit(message: string): void {
  git("add", "-A");
  git("commit", "-q", "-m", message);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

function teamwright(args: readonly string[], cwd = project): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env.PATH ?? "", HOME: home, ...compileCache };
  return new Promise((resolve) => {
    execFile(process.execPath, [launcher, ...args], { cwd, env }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

const rows = (out: string) =>
  JSON.parse(out).findings.map((one: { status: string; path: string; rule: string }) => [
    one.status,
    one.path,
    one.rule,
  ]);

describe("check-diff in a git repository", () => {
  test.runIf(process.getuid?.() === 0)("a repository that git does not trust is told as one", async () => {
    for (const path of [project, join(project, ".git")]) chownSync(path, 1234, 1234);
    const run = await teamwright(["check-diff"], join(project, "src"));
    expect([run.code, run.out]).toEqual([1, ""]);
    expect(run.err).toContain(`\`git config --global --add safe.directory ${project}\``);
  });

  test("finds what was changed, committed or not, added, deleted, renamed or untracked (FO-05, FO-08)", async () => {
    expect(await teamwright(["check-diff"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("0 files changed"),
    });
    git("switch", "-q", "-c", "work");
    write("src/a.ts", "two\n");
    write("free.md", "two\n");
    commit("Work");
    git("mv", "src/old name.ts", "docs/moved.ts");
    rmSync(join(project, "examples/x"));
    write("src/brand new\u00e9.ts", "x\n");
    write("sub/.env", "SECRET=1\n");
    const found = await teamwright(["check-diff", "--base", "main", "--author", "bob", "--json"]);
    expect(found.code).toBe(1);
    expect(rows(found.out)).toEqual([
      ["D", "examples/x", "protected"],
      ["M", "src/a.ts", "owned"],
      ["?", "src/brand new\u00e9.ts", "owned"],
      ["D", "src/old name.ts", "owned"],
      ["?", "sub/.env", "protected"],
    ]);
    expect(JSON.parse(found.out)).toMatchObject({
      ok: false,
      author: "bob",
      changed: 7,
      base: git("rev-parse", "main"),
    });
    const nobody = await teamwright(["file", "check-diff", "--base", "main", "--json"]);
    expect(rows(nobody.out).map(([, path]: string[]) => path)).toEqual(["examples/x", "sub/.env"]);
    const ada = await teamwright(["check-diff", "--base", "main", "--author", "ada", "--allow", "examples/**,**/.env"]);
    expect(ada).toMatchObject({ code: 0, err: "" });
    expect(ada.out).toContain("7 files changed");
    // what main did meanwhile is not this branch's
    git("stash", "-q", "-u");
    git("switch", "-q", "main");
    write("docs/a.md", "three\n");
    commit("Elsewhere");
    git("switch", "-q", "work");
    git("stash", "pop", "-q", "--index");
    const later = await teamwright(["check-diff", "--base", "main", "--author", "team:other", "--json"]);
    expect(rows(later.out).map(([, path]: string[]) => path)).not.toContain("docs/a.md");
  });

  test("holds a task to its scope and its holder to the map, in a worktree too (FO-05)", async () => {
    const draft = [
      "task",
      "create",
      "Write the parser there",
      "--scope",
      "src/parser/**",
      "--assignee",
      "bob",
      "--json",
    ];
    const { id } = JSON.parse((await teamwright(draft)).out).task;
    const tree = join(project, "trees/one");
    git("worktree", "add", "-q", tree);
    mkdirSync(join(tree, "src/parser"), { recursive: true });
    writeFileSync(join(tree, "src/parser/a.ts"), "x");
    writeFileSync(join(tree, "src/b.ts"), "x");
    const found = await teamwright(["check-diff", "--task", id, "--json"], join(tree, "src"));
    expect(rows(found.out)).toEqual([
      ["?", "src/b.ts", "out-of-scope"],
      ["?", "src/parser/a.ts", "owned"],
    ]);
    const owner = await teamwright(["file", "owner", "b.ts", "../x", "--json"], join(tree, "src"));
    expect(JSON.parse(owner.out).files).toMatchObject([
      { path: "src/b.ts", owner: "ada" },
      { path: "x", why: "no glob matches: free" },
    ]);
  });

  test("prints for people and for GitHub, and tells wrong usage apart", async () => {
    write("src/a.ts", "two\n");
    write("examples/a%b,c", "x");
    const text = await teamwright(["check-diff", "--author", "bob"]);
    expect(text.code).toBe(1);
    expect(text.out).toBe(
      "error  ?  examples/a%b,c  protected by examples/**: only people change it [protected]\n" +
        "error  M  src/a.ts  belongs to ada (src/**) [owned]\n" +
        `2 files changed since ${git("rev-parse", "HEAD").slice(0, 12)} by bob: 2 errors, 0 warnings\n`,
    );
    const github = await teamwright(["check-diff", "--author", "bob", "--format", "github"]);
    expect(github.out.split("\n").slice(0, 2)).toEqual([
      "::error file=examples/a%25b%2Cc,title=protected::protected by examples/**: only people change it",
      "::error file=src/a.ts,title=owned::belongs to ada (src/**)",
    ]);
    rmSync(join(project, "examples/a%b,c"));
    write("src/b\nc.ts", "x");
    const odd = await teamwright(["check-diff"]);
    expect(odd.out).toMatch(
      /^2 files changed since \w+: 0 errors, 0 warnings; whose work it is was not said, so owners/,
    );
    expect((await teamwright(["check-diff", "--author", "bob"])).out).toContain("error  ?  src/b c.ts  belongs to ada");
    write("teamwright.yaml", `${config}ownership_mode: warn\n`);
    const warned = await teamwright(["check-diff", "--author", "bob", "--allow", "examples/**", "--allow", "*.yaml"]);
    expect(warned).toMatchObject({ code: 0, out: expect.stringContaining("warning  M  src/a.ts") });
    for (const wrong of [["--base", "no-such-ref"], ["--base=--help"], ["--task", "tw-none", "--format", "odd"]])
      expect((await teamwright(["check-diff", ...wrong])).code, wrong.join(" ")).toBe(2);
    rmSync(join(project, ".git"), { recursive: true });
    expect(await teamwright(["check-diff"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("no git repository"),
    });
  });
});
