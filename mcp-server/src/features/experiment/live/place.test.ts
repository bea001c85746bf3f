import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { markOfRun, projectOf, wantsSessions } from "./place.ts";

const folders: string[] = [];

function folderWith(...files: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "teamwright-place-"));
  folders.push(folder);
  for (const file of files) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

test("a folder keeps who works in it: simulated teams, seeds of them, or real sessions (EX-01)", () => {
  const empty = folderWith();
  expect(wantsSessions({}, empty)).toBe(false);
  expect(wantsSessions({ agents: "claude" }, empty)).toBe(true);
  const live = folderWith();
  mkdirSync(dirname(markOfRun(projectOf(live))), { recursive: true });
  writeFileSync(markOfRun(projectOf(live)), "");
  expect(wantsSessions({}, live)).toBe(true);
  expect(() => wantsSessions({ agents: "mock" }, live)).toThrow("holds a run of real sessions");
  for (const simulated of [folderWith(".teamwright/state.db"), folderWith("seed-7/final_report.json")]) {
    expect(wantsSessions({}, simulated)).toBe(false);
    expect(() => wantsSessions({ agents: "claude" }, simulated)).toThrow("holds a run of simulated teams");
  }
});
