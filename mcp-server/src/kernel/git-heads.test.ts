import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  commitsBeyond,
  commonFolder,
  headsOf,
  isPlainMerge,
  pathsBetween,
  presentAmong,
  readHeads,
} from "./git-heads.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "teamwright-heads-")));
const root = join(folder, "project");
const settings = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "core.hooksPath=/dev/null"];
const gitIn = (cwd: string, ...args: string[]) =>
  execFileSync("git", [...settings, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
const git = (...args: string[]) => gitIn(root, ...args);
const commit = (cwd: string, text: string) => {
  writeFileSync(join(cwd, `${text}.txt`), text);
  gitIn(cwd, "add", "-A", ".");
  gitIn(cwd, "commit", "-q", "-m", text);
  return gitIn(cwd, "rev-parse", "HEAD");
};
const heads = () => readHeads(commonFolder(root) ?? "");
const branches = () => git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads").split("\n").sort();
const seen = () =>
  [...heads()]
    .filter(([name]) => name.startsWith("refs/"))
    .map((pair) => pair.join(" "))
    .sort();

beforeAll(() => {
  mkdirSync(root);
  git("init", "-q", "-b", "main");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("branches loose, packed and both, HEADs of all trees, as git itself names them", () => {
  expect([...heads()]).toEqual([]); // nothing is committed yet
  const first = commit(root, "one");
  git("branch", "deep/er/name");
  expect(seen()).toEqual(branches());
  expect(heads().get("HEAD")).toBe(first);
  git("pack-refs", "--all");
  expect(seen()).toEqual(branches());
  const second = commit(root, "two");
  expect(seen()).toEqual(branches());
  expect(heads().get("refs/heads/deep/er/name")).toBe(first);
  git("worktree", "add", "-q", "--detach", join(folder, "tree"), first);
  const third = commit(join(folder, "tree"), "three");
  expect([heads().get("HEAD"), heads().get("worktrees/tree/HEAD")]).toEqual([second, third]);
  expect(commonFolder(join(folder, "tree"))).toBe(join(root, ".git"));
  expect(commonFolder(folder)).toBeUndefined();
});

test("a branch is what git takes for one: in capitals, with words behind, through links and names that stand for it", () => {
  const [first, second] = [git("rev-parse", "main~1"), git("rev-parse", "main")];
  const file = (name: string) => join(root, ".git", name);
  const at = (name: string, text: string) => writeFileSync(file(name), text);
  at("refs/heads/main", `${first.toUpperCase()} and more\n`);
  expect([git("rev-parse", "HEAD"), heads().get("HEAD"), heads().get("refs/heads/main")]).toEqual([
    first,
    first,
    first,
  ]);
  at("refs/heads/main", `${second}\n`);
  git("update-ref", "refs/away/main", first);
  git("symbolic-ref", "HEAD", "refs/away/main");
  expect(heads().get("HEAD")).toBe(first);
  git("pack-refs", "--all");
  expect(heads().get("HEAD")).toBe(first);
  git("symbolic-ref", "HEAD", "refs/heads/main");
  git("symbolic-ref", "refs/heads/main", "refs/away/main");
  expect([heads().get("HEAD"), heads().get("refs/heads/main")]).toEqual([first, first]);
  git("symbolic-ref", "-d", "refs/heads/main");
  git("update-ref", "refs/heads/main", second);
  mkdirSync(join(folder, "elsewhere"));
  writeFileSync(join(folder, "elsewhere/far"), `${first}\n`);
  symlinkSync(join(folder, "elsewhere"), file("refs/heads/linked"));
  expect(git("rev-parse", "refs/heads/linked/far")).toBe(first);
  expect(heads().get("refs/heads/linked/far")).toBe(first);
  rmSync(file("refs/heads/linked"));

  git("pack-refs", "--all");
  expect(heads().get("refs/heads/main")).toBe(second);
  const before = statSync(file("packed-refs"));
  at("packed-refs", readFileSync(file("packed-refs"), "utf8").replaceAll(second, first));
  utimesSync(file("packed-refs"), before.atime, before.mtime); // as if nothing had been written
  expect(heads().get("refs/heads/main")).toBe(first);
  git("update-ref", "refs/heads/main", second);
});

test("commits beyond others, with what is lost taken for not there, and merges that hold more than their parents", async () => {
  const main = git("rev-parse", "main");
  const side = gitIn(join(folder, "tree"), "rev-parse", "HEAD");
  const gone = "1".repeat(40);
  expect((await commitsBeyond(root, [side], [main, gone])).map((each) => each.commit)).toEqual([side]);
  expect(await commitsBeyond(root, [main, gone], [main])).toEqual([]);
  expect(await commitsBeyond(root, [], [])).toEqual([]);
  git("merge", "-q", "--no-ff", "-m", "Merge", side);
  const [plain] = await commitsBeyond(root, ["HEAD"], [main, side]);
  expect(plain?.parents).toEqual([main, side]);
  expect(plain && (await isPlainMerge(root, plain))).toBe(true);
  writeFileSync(join(root, "sneaked.txt"), "more");
  git("add", "-A", ".");
  git("commit", "-q", "--amend", "--no-edit");
  const [evil] = await commitsBeyond(root, ["HEAD"], [main, side]);
  expect(evil && (await isPlainMerge(root, evil))).toBe(false);
});

test("grafts do not make a commit look as if it had been there, and what is missing is told apart", async () => {
  const [base, tip, gone] = [git("rev-parse", "main~1"), git("rev-parse", "main"), "1".repeat(40)];
  mkdirSync(join(root, ".git/info"), { recursive: true });
  writeFileSync(join(root, ".git/info/grafts"), `${base} ${tip}\n`);
  expect((await commitsBeyond(root, [tip], [base])).map((each) => each.commit)).toContain(tip);
  rmSync(join(root, ".git/info/grafts"));
  expect(await presentAmong(root, [base, gone, tip])).toEqual(new Set([base, tip]));
  expect(
    await pathsBetween(root, [
      [tip, base],
      [base, tip],
    ]),
  ).toEqual(await pathsBetween(root, [[base, tip]]));
});

test("a look costs no process and next to no time, with thousands of packed branches", () => {
  const at = git("rev-parse", "HEAD");
  const lines = Array.from({ length: 5000 }, (_, n) => `create refs/heads/many/b${n} ${at}\n`).join("");
  execFileSync("git", ["update-ref", "--stdin"], { cwd: root, input: lines });
  git("pack-refs", "--all");
  expect(seen()).toEqual(branches());
  const begun = performance.now();
  for (let look = 0; look < 50; look += 1) heads();
  expect((performance.now() - begun) / 50).toBeLessThan(20);
});

test("branches in a reftable are read through git, again when they have changed; a folder of that name alone blinds nobody", async () => {
  const project = join(folder, "tables");
  mkdirSync(project);
  const own = (...args: string[]) => gitIn(project, ...args);
  let isReal = true;
  try {
    own("init", "-q", "-b", "main", "--ref-format=reftable");
  } catch {
    isReal = false; // an old git reads its files whatever this setting says
    own("init", "-q", "-b", "main");
    mkdirSync(join(project, ".git/reftable"));
  }
  const first = commit(project, "one");
  if (!isReal) expect((await headsOf(project))?.get("refs/heads/main")).toBe(first);
  if (!isReal) own("config", "extensions.refStorage", "reftable");
  const changed = (n: number) => !isReal && writeFileSync(join(project, ".git/reftable/tables.list"), `${n}.ref\n`);
  own("worktree", "add", "-q", "-b", "side", join(folder, "table-tree"));
  changed(1);
  const expected = { HEAD: first, "refs/heads/main": first, "refs/heads/side": first };
  expect(Object.fromEntries((await headsOf(project)) ?? [])).toEqual({
    ...expected,
    "worktrees/table-tree/HEAD": first,
  });
  const second = commit(join(folder, "table-tree"), "two");
  changed(2);
  expect(Object.fromEntries((await headsOf(project)) ?? [])).toEqual({
    ...expected,
    "refs/heads/side": second,
    "worktrees/table-tree/HEAD": second,
  });
  expect(await pathsBetween(project, [[first, second]])).toEqual(["two.txt"]);
});
