/** A project with one unit to do, for tests of the loop in the real client. */
import { execFileSync } from "node:child_process";
import Database from "better-sqlite3";
import type { Turn } from "./actor.ts";
import { readStore, storeFile, tool } from "./teamwright.ts";

export const config = `teams:
  - id: main
    agents: [ada, mal]
gates:
  - { name: tests, command: [sh, -c, "test ! -e broken"] }
ownership:
  - { paths: ["lib/**"], owner: mal }
`;

export const files = {
  "teamwright.yaml": config,
  "src/a.txt": "one\n",
  "lib/b.txt": "b\n",
  "reports/earlier.md": "EARLIER-ROUND\n",
};

export const PASS = "VERDICT: PASS\nITEM 1: PASS | src/a.txt:2 | none | it is there";
export const FAIL =
  "VERDICT: FAIL\nITEM 1: FAIL | src/a.txt:2 | none | FIRST-ROUND-FINDING wrong word\nISSUE BLOCKING: src/a.txt:2 | FIRST-ROUND-FINDING";

export function rows<T>(project: string, sql: string): T[] {
  const db = new Database(storeFile(project), { readonly: true });
  try {
    return db.prepare(sql).all() as T[];
  } finally {
    db.close();
  }
}
export const phase = (project: string) => rows<{ phase: string }>(project, "select phase from unit")[0]?.phase;
export const git = (project: string, ...args: string[]) =>
  execFileSync("git", args, { cwd: project, encoding: "utf8" });

export async function plan(turn: Turn, project: string): Promise<string> {
  await turn.must(tool("task_create"), {
    title: "Write the second line",
    description: "The file gets the line two. [actor:rex]",
    acceptance: "- a.txt has a second line",
    scope: ["src"],
  });
  const { key } = readStore(project).task("Write the second line");
  await turn.must(tool("unit_plan"), { tasks: [key], about: "123", tools: ["Agent", "SendMessage"] });
  await turn.must(tool("unit_start"), { unit: key });
  return key;
}
