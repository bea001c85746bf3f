import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildDist } from "../../scripts/build.ts";
import { compileCache } from "../support/compile-cache.ts";
import { type Synthesis, syntheticReport } from "../support/experiment-reports.ts";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "teamwright-compare-"));
const project = join(folder, "project");
/** As it is shipped: bin/ beside dist/, no sources and no node_modules. */
const shipped = join(folder, "shipped");

beforeAll(async () => {
  await buildDist(join(shipped, "dist"));
  cpSync(join(root, "bin"), join(shipped, "bin"), { recursive: true });
  mkdirSync(project);
  execFileSync("git", ["init", "-q"], { cwd: project });
  for (let seed = 1; seed <= 6; seed += 1) {
    putReport(`out/independent/seed-${seed}`, { seed, variant: "independent", coordination: false });
    putReport(`out/coordinated/seed-${seed}`, { seed, variant: "coordinated", gain: 3, loans: 0.5 });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

/** A run's output tree: the portfolio's report beside the teams' own (OU-01). */
function putReport(path: string, synthesis: Synthesis): void {
  put(`${path}/final_report.json`, JSON.stringify(syntheticReport(synthesis)));
  put(`${path}/platform-team/final_report.json`, JSON.stringify({ total_sprints: 1 }));
}

function compare(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(shipped, "bin/teamwright"), "experiment", "compare", ...args],
    { cwd: project, env: { PATH: process.env.PATH ?? "", HOME: folder, ...compileCache }, encoding: "utf8" },
  );
  return { code: status, out: stdout, err: stderr };
}

describe("experiment compare on the command line (OU-04, ME-05)", () => {
  test("a table, and one page that needs nothing else", () => {
    const { code, out, err } = compare("out/independent", "out/coordinated", "--html", "compare.html");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("Total portfolio velocity is higher by ");
    expect(out).toContain("Wrote compare.html");
    const page = readFileSync(join(project, "compare.html"), "utf8");
    expect(page).toMatch(/^<!doctype html>/);
    expect(page.match(/<svg role="img"/g)).toHaveLength(5);
    expect(existsSync(join(project, ".teamwright"))).toBe(false);
  });

  test("as JSON, with names of one's own and the metrics asked for", () => {
    const { code, out } = compare("base=out/independent", "tried=./out/coordinated/", "--metric", "loans", "--json");
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ ok: true, baseline: "base", problems: [], notes: [] });
    expect(result.variants).toMatchObject([
      { label: "base", runs: 6, seeds: [1, 2, 3, 4, 5, 6], coordination: false },
      { label: "tried", runs: 6 },
    ]);
    expect(result.metrics).toMatchObject([{ metric: "loans", differences: [{ direction: "higher" }] }]);
    expect(result.questions).toHaveLength(6);
  });

  test("single runs and reports are read as well; one seed has no interval", () => {
    const { code, out } = compare("out/independent/seed-1", "out/coordinated/seed-1/final_report.json");
    expect(code).toBe(0);
    expect(out).toContain("too few seeds for an interval");
    expect(out).not.toMatch(/is (higher|lower) by/);
  });

  test("what is no report is told, the others are compared", () => {
    put("bad/seed-1/final_report.json", "{");
    put("bad/seed-2/final_report.json", JSON.stringify({ team: "alpha", sprints: [] }));
    put("bad/seed-3/final_report.json", JSON.stringify(syntheticReport({ seed: 3, variant: "half" })));
    const { code, out } = compare("out/independent", "bad", "out/nowhere", "out", "--json");
    expect(code).toBe(1);
    const result = JSON.parse(out);
    expect(result.problems).toEqual([
      expect.stringMatching(/^bad\/seed-1\/final_report\.json is no JSON: /),
      expect.stringMatching(/^bad\/seed-2\/final_report\.json is no final report of several teams: teams: /),
      expect.stringMatching(/^out\/nowhere: .*out\/nowhere is no file or folder/),
      "out: no final_report.json is in it, and no seed-*/final_report.json; there are reports in out/coordinated, out/independent.",
    ]);
    expect(result.variants.map(({ label, runs }: { label: string; runs: number }) => [label, runs])).toEqual([
      ["independent", 6],
      ["half", 1],
    ]);
    expect(result.notes).toEqual(["half and independent have 1 seed in common of 6; differences rest on that one."]);
  });

  test("nothing readable and wrong usage are exit code 2", () => {
    expect(compare("out/nowhere")).toMatchObject({ code: 2, out: "" });
    expect(compare()).toMatchObject({ code: 2 });
    expect(compare("out/independent", "--metric", "speed")).toMatchObject({ code: 2 });
    expect(compare("out/independent", "--html", "no/such/folder/page.html").code).toBe(1);
  });
});
