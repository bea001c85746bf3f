import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findProjectRoot, stateFolder } from "./project-root.ts";

const base = realpathSync(mkdtempSync(join(tmpdir(), "teamwright-root-")));
afterAll(() => rmSync(base, { recursive: true, force: true }));

function git(folder: string, ...args: string[]) {
  execFileSync("git", ["-c", "user.email=pat@example.com", "-c", "user.name=pat", ...args], {
    cwd: folder,
    stdio: "pipe",
  });
}

const source = join(base, "source");
mkdirSync(join(source, "deep"), { recursive: true });
git(source, "init", "-q");
writeFileSync(join(source, "file"), "x");
git(source, "add", ".");
git(source, "commit", "-qm", "first");

test("every worktree has the root of its repository's main tree", () => {
  git(source, "worktree", "add", "-q", "-b", "side", "../side");
  expect(findProjectRoot(join(source, "deep"))).toBe(source);
  expect(findProjectRoot(join(base, "side"))).toBe(source);
});

test("two bare repositories side by side do not share the folder they lie in", () => {
  const trees = ["one", "two"].map((name) => {
    git(base, "clone", "-q", "--bare", "source", `${name}.git`);
    git(join(base, `${name}.git`), "worktree", "add", "-q", "-b", "work", join(base, `${name}-tree`));
    return join(base, `${name}-tree`);
  });
  expect(trees.map(findProjectRoot)).toEqual(trees);
});

test("worktrees of a bare repository share a store that outlasts each of them", () => {
  const home = join(base, "layout");
  mkdirSync(home);
  git(base, "clone", "-q", "--bare", "source", join(home, ".bare"));
  writeFileSync(join(home, ".git"), "gitdir: ./.bare\n");
  for (const name of ["main-tree", "other"]) git(home, "worktree", "add", "-q", "-b", `b-${name}`, join(home, name));
  const folders = [home, join(home, "main-tree"), join(home, "other")];
  for (const folder of folders) expect(stateFolder(findProjectRoot(folder))).toBe(join(home, ".bare", ".teamwright"));
  expect(stateFolder(findProjectRoot(join(base, "one-tree")))).toBe(join(base, "one.git", ".teamwright"));
  for (const folder of [source, join(base, "side")])
    expect(stateFolder(findProjectRoot(folder))).toBe(join(source, ".teamwright"));
});

test("outside git the nearest folder with a configuration, else the one that is asked for", () => {
  const outside = join(base, "outside", "in");
  mkdirSync(outside, { recursive: true });
  expect(findProjectRoot(outside)).toBe(outside);
  writeFileSync(join(base, "outside", "teamwright.yaml"), "");
  expect(findProjectRoot(outside)).toBe(join(base, "outside"));
});
