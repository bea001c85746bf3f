import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { cleanEnvironment, ensureBuilt, node, openProject } from "../support/processes.ts";

const example = join(import.meta.dirname, "../../examples/two-teams/config.yaml");
let program: readonly string[];

beforeAll(async () => {
  program = (await ensureBuilt()).server;
});

function check(root: string, args: readonly string[] = [], input = "") {
  const { status, stdout } = spawnSync(node, [...program, "team", "check", ...args], {
    cwd: root,
    env: cleanEnvironment(),
    input,
    encoding: "utf8",
  });
  return { code: status, out: stdout };
}

describe("team check", () => {
  test("tells all that is wrong with the project's own file, which no other command can read (TC-09)", async () => {
    await using project = await openProject("sqlite", "teams:\n  - {id: a, agents: [x]}\n  - {id: a, agent: [x]}\n");
    expect(check(project.root)).toEqual({
      code: 1,
      out: [
        "teamwright.yaml: 2 problems",
        "teamwright.yaml:3:10 teams.1.id: a is already team number 1; give one of them another id",
        "teamwright.yaml:3:13 unknown key teams.1.agent; did you mean agents?",
        "",
      ].join("\n"),
    });
    const { code, out } = check(project.root, ["--json"]);
    expect([code, JSON.parse(out)]).toMatchObject([1, { ok: false, file: "teamwright.yaml", teams: [] }]);
    expect(existsSync(join(project.root, ".teamwright"))).toBe(false); // it makes no store
    expect(check(project.root, [example]).code).toBe(0); // nor does it need the project's file to be right
  });

  test("shows teams, people, coordinators and the overhead budget of what is right (OU-03, OH-02)", async () => {
    await using project = await openProject("sqlite");
    const { code, out } = check(project.root, [example]);
    expect(code).toBe(0);
    expect(out).toContain("13 agents\n  - alex_senior_networking: Alex Chen (Senior Networking), developer\n");
    expect(out).toContain(
      "2 teams\n  - checkout-stream: Checkout Stream Team (stream_aligned, 6 agents)\n  - platform-team: Platform Team (platform, 5 agents)\nCoordinators: staff_engineer_01, enablement_lead_01\n",
    );
    expect(out).toContain(
      "Overhead budget: 36 min of 3 sprints of 60 min; iteration 0 14.4, then 7.2 per sprint: coordination 3.6, distribution 2.16, check-in 1.44",
    );
    expect(check(project.root, [example, "--experiment"]).code).toBe(0);
    expect(check(project.root).out).toBe("Fine: defaults, there is no teamwright.yaml\nOne team, main\n");
    expect(check(project.root, ["nowhere.yaml"]).code).toBe(1);
  });

  test("says what is allowed and hardly meant, and reads standard input (CA-03, CO-09, TC-12)", async () => {
    await using project = await openProject("sqlite");
    writeFileSync(join(project.root, "there.yaml"), "[]");
    const { code, out } = check(
      project.root,
      ["-", "--json"],
      `coordination: {enabled: true, coordinators: [cora]}
portfolio: {strategy: coordinator, backlog: there.yaml}
models: {agents: {cora: {role_archetype: staff_engineer}, ada: {}, bob: {}, idle: {}, c1: {}, c2: {}, c3: {}, c4: {}, c5: {}, c6: {}}}
teams:
  - {id: a, agents: [ada], backlog: nowhere.yaml}
  - {id: b, agents: [bob]}
  - {id: c, agents: [c1, c2, c3, c4, c5, c6]}`,
    );
    expect(code).toBe(0);
    expect(JSON.parse(out).notes).toEqual([
      "there is one coordinator: nobody plans, and nobody is borrowed.",
      "In no team and no coordinators: idle.",
      "Cannot lend anybody, because min_team_size is 2: a, b.",
      "More than 5 agents: c. Start with three and add two at a time, or split the team.",
      expect.stringMatching(/^backlog nowhere\.yaml: There is no file .*nowhere\.yaml\.$/),
    ]);
  });
});
