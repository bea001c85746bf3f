import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A git repository in a folder, with an author of its own and nothing of the machine's settings. */
export interface Repository {
  git(...args: string[]): string;
  write(path: string, text: string): void;
  read(path: string): string;
}

export function makeRepository(root: string): Repository {
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "core.hooksPath=/dev/null", ...args], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  git("init", "-q", "-b", "main");
  git("config", "user.email", "team@example.org");
  git("config", "user.name", "Team");
  git("config", "commit.gpgsign", "false");
  write("src/a.txt", "one\n");
  write("README.md", "# Project\n");
  git("add", "-A", "src", "README.md");
  git("commit", "-q", "-m", "Start");
  return { git, write, read: (path) => readFileSync(join(root, path), "utf8") };
}
