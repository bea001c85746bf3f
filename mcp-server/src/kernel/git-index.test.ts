import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { makeRepository } from "../../../tests/support/repository.ts";
import { Git } from "./git.ts";

const secondOf = (file: string) => Math.floor(statSync(file).mtimeMs / 1000);

async function inRepository(work: (repo: ReturnType<typeof makeRepository>, git: Git) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "teamwright-index-test-"));
  try {
    const repo = makeRepository(root);
    await work(repo, await Git.at(root));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function frozen(git: Git): Promise<string> {
  const base = await git.head();
  return (await git.freeze(base, await git.changed(base))).diff;
}

test("a file that was written anew in the second of its index, as long as before, is frozen as it is (FO-05)", () =>
  inRepository(async (repo, git) => {
    const [file, index] = [join(git.folder, "src/a.txt"), join(git.folder, ".git/index")];
    // a machine that is too slow to do both within a second has nothing that could go wrong
    for (let n = 0; n < 5 && (n === 0 || secondOf(file) !== secondOf(index)); n += 1) {
      repo.write("src/a.txt", "old\n");
      repo.git("add", "src/a.txt");
      repo.write("src/a.txt", "new\n");
    }
    while (Math.floor(Date.now() / 1000) <= secondOf(index)) await sleep(50);
    expect(await frozen(git)).toContain("+new");
  }));

test.each(["--assume-unchanged", "--skip-worktree"])(
  "the index cannot be told to overlook a file by %s (FO-05)",
  (flag) =>
    inRepository(async (repo, git) => {
      repo.git("update-index", flag, "src/a.txt");
      repo.write("src/a.txt", "hidden\n");
      expect(await frozen(git)).toContain("+hidden");
    }),
);
