import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { generateReport } from "../../bench/reports.ts";
import { buildDist } from "../../scripts/build.ts";
import { compileCache } from "../support/compile-cache.ts";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "teamwright-lint-"));
const good = readFileSync(join(root, "tests/fixtures/reports/good/plain.md"), "utf8");
const bad = readFileSync(join(root, "tests/fixtures/reports/bad/status-done.md"), "utf8");
/** As it is shipped: bin/ beside dist/, no sources. */
const shipped = join(folder, "shipped");
let projects = 0;
let project: string;

beforeAll(async () => {
  await buildDist(join(shipped, "dist"));
  cpSync(join(root, "bin"), join(shipped, "bin"), { recursive: true });
  copyFileSync(join(root, "action.yml"), join(shipped, "action.yml"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A repository with a report and the files it speaks of. */
beforeEach(() => {
  projects += 1;
  project = join(folder, `project-${projects}`);
  mkdirSync(join(project, "reports"), { recursive: true });
  mkdirSync(join(project, "src"));
  for (const name of ["src/api.ts", "src/limit.ts"]) writeFileSync(join(project, name), "// a line\n".repeat(60));
  execFileSync("git", ["init", "-q"], { cwd: project });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

function environment(extra: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
    HOME: folder,
    ...compileCache,
    ...extra,
  };
}

function run(
  command: string,
  args: readonly string[],
  options: { input?: string; cwd?: string; env?: Record<string, string> } = {},
) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: options.cwd ?? project,
    env: environment(options.env),
    encoding: "utf8",
    input: options.input ?? "",
    maxBuffer: 1 << 28,
  });
  return { code: status, out: stdout, err: stderr };
}

function lint(args: readonly string[], input?: string) {
  return run(
    process.execPath,
    [join(shipped, "bin/teamwright"), "report", "lint", ...args],
    input === undefined ? {} : { input },
  );
}

describe("report lint on the command line (RP-09)", () => {
  test("exit codes: 0 clean, 1 findings, 2 wrong usage", () => {
    put("reports/ada.md", good);
    expect(lint(["reports/ada.md"])).toEqual({ code: 0, out: "ok 1 report, nothing found.\n", err: "" });
    put("reports/bob.md", bad);
    const found = lint(["reports"]);
    expect(found).toMatchObject({ code: 1, err: "" });
    expect(found.out).toContain("reports/bob.md:2:9 warning TW103 status-word");
    expect(lint(["reports", "--fail-on", "error"]).code).toBe(0);
    expect(lint(["nowhere.md", "reports/*.txt"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("- nowhere.md is no file or folder, and no file matches it\n- reports/*.txt"),
    });
    expect(lint(["--formt", "json"]).code).toBe(2);
    expect(lint(["--fix", "-"], bad).code).toBe(2);
  });

  test("no store is made, and none is needed", () => {
    put("reports/ada.md", good);
    put("teamwright.yaml", "storage: {url: postgres://nobody@127.0.0.1:1/nothing}\n");
    expect(lint([]).code).toBe(0);
    expect(existsSync(join(project, ".teamwright"))).toBe(false);
  });

  test("files, folders, globs, standard input and names with commas, each report once", () => {
    for (const name of ["reports/a.md", "reports/deep/b.md", "reports/c,d.md", "node_modules/x/e.md", "other.md"])
      put(name, bad);
    const pathsOf = (args: string[], input?: string) =>
      JSON.parse(lint([...args, "--json"], input).out).files.map(({ path }: { path: string }) => path);
    expect(pathsOf([])).toEqual(["reports/a.md", "reports/c,d.md", "reports/deep/b.md"]);
    expect(pathsOf(["."])).toEqual(["other.md", "reports/a.md", "reports/c,d.md", "reports/deep/b.md"]);
    expect(pathsOf(["reports/c,d.md", "other.md", "./other.md"])).toEqual(["other.md", "reports/c,d.md"]);
    expect(pathsOf(["reports/*.md", "reports/**/{a,b}.md"])).toEqual([
      "reports/a.md",
      "reports/c,d.md",
      "reports/deep/b.md",
    ]);
    expect(pathsOf([join(project, "reports/deep")])).toEqual(["reports/deep/b.md"]);
    expect(pathsOf(["-"], bad)).toEqual(["<stdin>"]);
    expect(pathsOf(["-", "--stdin-name", "reports/eve.md"], bad)).toEqual(["reports/eve.md"]);
  });

  test("a report may name any path, and nothing outside the tree is read", () => {
    symlinkSync("/dev/zero", join(project, "src/endless.ts"));
    const places = [
      "../../../etc/passwd:1",
      "src/endless.ts:1",
      "src:1",
      "src/gone.ts:1",
      "src/api.ts:61",
      "src/api.ts:60",
    ];
    put("reports/a.md", good.replace("- File: src/api.ts:31", places.map((place) => `- File: ${place}`).join("\n")));
    const { files } = JSON.parse(lint(["--json"]).out);
    expect(files[0].findings.map(({ rule, line }: { rule: string; line: number }) => `${rule} ${line}`)).toEqual([
      "TW306 11",
      "TW306 12",
      "TW306 13",
      "TW306 14",
      "TW306 15",
    ]);
  });

  test("fix mends the file, says so, and leaves a damaged file alone", () => {
    put("reports/a.md", bad);
    expect(lint(["--fix"])).toMatchObject({ code: 0, out: expect.stringContaining("fixed reports/a.md: 1 place") });
    expect(readFileSync(join(project, "reports/a.md"), "utf8")).toBe(bad.replace("done", "COMPLETE"));
    const damaged = Buffer.concat([Buffer.from(bad), Buffer.from([0xff, 0xfe, 10])]);
    writeFileSync(join(project, "reports/a.md"), damaged);
    expect(lint(["--fix"]).code).toBe(1);
    expect(readFileSync(join(project, "reports/a.md")).equals(damaged)).toBe(true);
  });

  test("the project's configuration counts: levels, targets, sections, ignored files", () => {
    put(
      "reports/a.md",
      good.replace("### Cross-Domain Tags\nNone.", "### Cross-Domain Tags\n- CROSS-DOMAIN:crypto: Read it"),
    );
    put("reports/old/b.md", bad);
    expect(lint([]).out).toContain("TW204");
    put("teamwright.yaml", "reports: {targets: [crypto], ignore: [reports/old/**]}\n");
    expect(lint([]).out).toBe("ok 1 report, nothing found.\n");
    expect(lint(["reports/old/b.md"]).out).toBe("No report was found here: name files, or set reports.include.\n");
    put("teamwright.yaml", "reports:\n  rules: {TW103: off, TW204: warn}\n  required_sections: [findings]\n");
    expect(JSON.parse(lint(["--json"]).out)).toMatchObject({ errors: 0, warnings: 1, reports: 2 });
    put("teamwright.yaml", "reports:\n  rules:\n    TW999: off\n    TW103: loud\n  targts: []\n");
    expect(lint([])).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /3:5 unknown key reports\.rules\.TW999; did you mean TW\d+\?\n- teamwright\.yaml:4:12 .*\n- teamwright\.yaml:5:3 unknown key reports\.targts; did you mean targets\?/,
      ),
    });
  });

  test("what was leased, changed and is protected is compared with what the report lists", () => {
    put("reports/a.md", good);
    const rules = (...args: string[]) =>
      JSON.parse(lint(["--json", ...args]).out).files.flatMap(({ findings }: { findings: { rule: string }[] }) =>
        findings.map(({ rule }) => rule),
      );
    expect(rules("--lease", "src/**", "--changed", "src/api.ts,src/limit.ts")).toEqual([]);
    expect(rules("--lease", "src/api.ts")).toEqual(["TW501"]);
    expect(rules("--changed", "src/api.ts,src/new.ts")).toEqual(["TW502", "TW503"]);
    expect(rules("--protected", "src/l*")).toEqual(["TW504"]);
    put("teamwright.yaml", "protected: [SRC/Limit.ts]\n");
    expect(rules()).toEqual(["TW504"]);
    put("teamwright.yaml", "protected: [docs/]\n");
    expect(rules()).toEqual([]);
    expect(rules("--protected", "src/l*")).toEqual(["TW504"]);
  });

  test("thousands of reports with progress on standard error", () => {
    for (let number = 0; number < 3000; number += 1)
      writeFileSync(
        join(project, "reports", `${number}.md`),
        number % 100 === 0 ? bad : "COMPLETED: It\nRESULT: It\nFILES CHANGED: none\nFINDINGS: none\nCONCERNS: none\n",
      );
    const { code, out, err } = lint(["--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ reports: 3000, errors: 0, warnings: 30 });
    expect(err).toBe(""); // who reads JSON is a program
    expect(lint([]).err).toContain("reports 3000/3000 (100 %)");
    expect(lint(["--quiet"])).toEqual({ code: 1, out: "", err: "" });
  });

  test("reports of the bench are what it says", () => {
    for (const number of [1, 8]) put(`reports/${number}.md`, generateReport(number));
    const { files } = JSON.parse(lint(["--json"]).out);
    const rules = new Map(
      files.map(({ path, findings }: { path: string; findings: { rule: string }[] }) => [
        path,
        [...new Set(findings.map(({ rule }) => rule))].filter((rule) => rule !== "TW306").sort(),
      ]),
    );
    expect(rules.get("reports/1.md")).toEqual([]);
    expect(rules.get("reports/8.md")).toEqual(["TW103", "TW109", "TW305"]);
  });
});

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly env?: Record<string, string>;
  readonly "working-directory"?: string;
}

describe("the GitHub action", () => {
  const action = parse(readFileSync(join(root, "action.yml"), "utf8"));

  /** Runs the steps as the runner does: expressions filled in, bash with its flags. */
  function runAction(inputs: Record<string, string>) {
    const values: Record<string, string> = { "github.action_path": shipped };
    for (const [name, { default: value }] of Object.entries<{ default: string }>(action.inputs))
      values[`inputs.${name}`] = inputs[name] ?? value;
    const fill = (text: string) => text.replace(/\$\{\{\s*([\w.-]+)\s*\}\}/g, (_, name: string) => values[name] ?? "");
    let last = { code: 0 as number | null, out: "", err: "" };
    for (const step of action.runs.steps as Step[]) {
      if (step.run === undefined) continue;
      const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, text]) => [name, fill(text)]));
      const cwd = join(project, "");
      const asked = fill(step["working-directory"] ?? ".");
      const script = join(project, ".git", "step.sh");
      writeFileSync(script, step.run);
      last = run("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
        cwd: asked.startsWith("/") ? asked : join(cwd, asked),
        env: { ...env, CI: "true" },
      });
      if (last.code !== 0) return last;
    }
    return last;
  }

  test("expressions stand in env alone, where no report or name becomes a command", () => {
    for (const { run: script, uses } of action.runs.steps as Step[]) {
      expect(script ?? "").not.toContain("${{");
      if (uses !== undefined) expect(uses).toMatch(/^actions\/setup-node@v\d+$/);
    }
  });

  test("annotates what it finds and fails the step; a clean project passes", () => {
    put("reports/a.md", good);
    expect(runAction({})).toMatchObject({ code: 0, out: "0 errors, 0 warnings in 1 report\n" });
    put("reports/b.md", bad);
    const { code, out } = runAction({});
    expect(code).toBe(1);
    expect(out).toMatch(/^::warning file=reports\/b\.md,line=2,endLine=2,col=9,endColumn=13,title=TW103 status-word::/);
    expect(runAction({ "fail-on": "error" }).code).toBe(0);
  });

  test("takes names with spaces and dollars, one a line, and writes a file", () => {
    put("reports/a $(touch x).md", bad);
    put("sub/reports/b.md", bad);
    expect(runAction({ files: "reports/a $(touch x).md\n", format: "sarif", output: "out.sarif" }).code).toBe(1);
    expect(JSON.parse(readFileSync(join(project, "out.sarif"), "utf8")).runs[0].results).toHaveLength(1);
    expect(existsSync(join(project, "x"))).toBe(false);
    expect(runAction({ "working-directory": "sub" }).out).toContain("file=sub/reports/b.md");
  });
});

describe("the pre-commit hooks", () => {
  const hooks: { id: string; entry: string; language: string; files: string }[] = parse(
    readFileSync(join(root, ".pre-commit-hooks.yaml"), "utf8"),
  );
  const installed = join(folder, "environment");

  /** What pre-commit does for `language: node`: `npm pack`, whose output it takes for the file's name, then an installation. */
  beforeAll(() => {
    const checkout = join(folder, "checkout");
    for (const path of [
      "bin",
      "mcp-server",
      "scripts",
      "schemas",
      "hooks",
      "package.json",
      "package-lock.json",
      ".npmrc",
    ])
      cpSync(join(root, path), join(checkout, path), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
    const { code, out, err } = run("npm", ["pack", "--offline"], { cwd: checkout });
    expect(code, err).toBe(0);
    expect(out).toMatch(/^teamwright-[\d.]+\.tgz\n$/);
    const modules = join(installed, "lib/node_modules/teamwright");
    mkdirSync(modules, { recursive: true });
    execFileSync("tar", ["xzf", join(checkout, out.trim()), "-C", modules, "--strip-components=1"]);
    mkdirSync(join(installed, "bin"));
    symlinkSync("../lib/node_modules/teamwright/bin/teamwright", join(installed, "bin/teamwright"));
  });

  function commit(id: string, files: readonly string[]) {
    const hook = hooks.find((candidate) => candidate.id === id);
    if (!hook) throw new Error(`no hook ${id}`);
    const chosen = files.filter((file) => new RegExp(hook.files).test(file));
    const [command = "", ...args] = hook.entry.split(" ");
    return run(command, [...args, ...chosen], {
      env: { PATH: `${join(installed, "bin")}${delimiter}${environment().PATH}` },
    });
  }

  test("the lint hook refuses a commit with findings and lets a clean one pass", () => {
    put("reports/a.md", good);
    put("docs/guide.md", "no report");
    expect(commit("teamwright-report-lint", ["reports/a.md", "docs/guide.md"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("ok 1 report"),
    });
    put("team/reports/b.md", bad);
    expect(commit("teamwright-report-lint", ["reports/a.md", "team/reports/b.md"])).toMatchObject({ code: 1 });
  });

  test("the fix hook mends the file in place", () => {
    put("reports/b.md", bad);
    expect(commit("teamwright-report-fix", ["reports/b.md"]).code).toBe(0);
    expect(readFileSync(join(project, "reports/b.md"), "utf8")).toContain("Status: COMPLETE");
  });

  test("the package holds the bundle and no sources, which Node would refuse below node_modules", () => {
    const packed = join(installed, "lib/node_modules/teamwright");
    expect(existsSync(join(packed, "dist/lib/main.cjs"))).toBe(true);
    expect(existsSync(join(packed, "mcp-server"))).toBe(false);
  });
});
