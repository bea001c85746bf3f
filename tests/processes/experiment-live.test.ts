import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { experimentFolder, isGone, until } from "../support/experiment-runs.ts";
import { makeRepository } from "../support/repository.ts";

const folder = experimentFolder("live");
const { root } = folder;
const launcher = [join(import.meta.dirname, "../../bin/teamwright")];

/** A client that hangs for the team alpha, deaf to a polite signal and with a process out of its group, until it is told to be calm. */
const client = `#!/bin/sh
if [ "$1" = --version ]; then echo "\${CLIENT_VERSION:-2.1.329} (Claude Code)"; exit 0; fi
prompt=$(cat)
if [ -n "$CLIENT_FAILS" ]; then echo "$CLIENT_FAILS" >&2; exit 1; fi
result='KEEP: calm'
case "$prompt" in
*ASSIGN:*) result='ASSIGN: S2 to alpha because it fits\\nASSIGN: S1 to beta because it fits' ;;
*"team alpha"*)
  if [ ! -e "$HOME/calm" ]; then
    trap '' TERM
    setsid sleep 600 & echo $! >> "$HOME/pids"
    sleep 600 & echo $! >> "$HOME/pids"
    wait
  fi ;;
esac
printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","num_turns":1,"total_cost_usd":0.25}\\n' "$result"
`;

const config = (seconds: number, strategy = "round_robin") => `portfolio: { strategy: ${strategy}, stories_per_team: 1 }
teams:
  - { id: alpha, agents: [abe] }
  - { id: beta, agents: [bea] }
experiment: { name: hangs, claude: { time_box_seconds: ${seconds} } }
`;

beforeAll(() => {
  folder.put("bin/claude", client, 0o755);
  folder.put("short.yaml", config(1));
  folder.put("long.yaml", config(600, "coordinator"));
  const story = (id: number) => `  - { id: S${id}, title: Story ${id}, story_points: 1 }`;
  folder.put("backlog.yaml", ["stories:", story(1), story(2)].join("\n"));
});
afterAll(folder.remove);

const start = (args: readonly string[], env?: Record<string, string>) => folder.start(launcher, ["run", ...args], env);

const begin = (file: string, output: string, ...more: string[]) => [
  "--agents",
  "claude",
  "--config",
  file,
  "--backlog",
  "backlog.yaml",
  "--sprints",
  "1",
  "--output",
  output,
  ...more,
];

const pids = () => (existsSync(join(root, "pids")) ? folder.read("pids").trim().split("\n").map(Number) : []);

const reportOf = (output: string) => JSON.parse(folder.read(`${output}/final_report.json`));

describe("an experiment of real sessions", () => {
  test("says what is missing, too old or not to be had together (EX-01)", async () => {
    const said = async (args: string[], env?: Record<string, string>) => (await start(args, env).ended).text;
    expect(await said(begin("short.yaml", "a"), { PATH: "/usr/bin:/bin" })).toContain("is not on the PATH");
    expect(await said(begin("short.yaml", "a"), { CLIENT_VERSION: "2.1.99" })).toContain("2.1.99 is too old");
    expect(await said(begin("short.yaml", "a", "--seeds", "3"))).toContain("chances of a simulation");
    expect(await said(begin("short.yaml", "a"), { TEAMWRIGHT_EXPERIMENT_SESSION: "1 x /" })).toContain("FORBIDDEN");
    expect(existsSync(join(root, "a"))).toBe(false);
    // nobody can work: no use in going on
    const { code, text } = await start(begin("short.yaml", "b"), { CLIENT_FAILS: "Not logged in" }).ended;
    expect([code, text]).toEqual([3, expect.stringMatching(/in sprint 1: exit 1: Not logged in/)]);
  });

  test.skipIf(process.platform !== "linux")(
    "ends a session that hangs, with all it has started, and no other (CO-12)",
    async () => {
      const source = join(root, "source");
      mkdirSync(source);
      makeRepository(source);
      const { code, text } = await start(begin("short.yaml", "out", "--project", "source")).ended;
      expect(code, text).toBe(0);
      const { teams } = reportOf("out");
      expect(teams.alpha.sprints[0].session).toMatchObject({ state: "timed_out", cost_usd: null });
      expect(teams.beta.sprints[0].session).toMatchObject({ state: "ended", turns: 1, cost_usd: 0.25 });
      expect(folder.read("out/beta/sprint-01/retro.md")).toContain("- lead: calm");
      expect(pids()).toHaveLength(2);
      await until(() => pids().every(isGone));
      // a clone, with no way back
      expect(existsSync(join(root, "out/project/src/a.txt"))).toBe(true);
      expect(folder.read("out/project/.git/config")).not.toContain("remote");
      expect(existsSync(join(source, "teamwright.yaml"))).toBe(false);

      const other = await start(["--agents", "mock", "--continue", "1", "--output", "out"]).ended;
      expect(other.text).toContain("holds a run of real sessions");
      const elsewhere = await start(["--continue", "1", "--project", ".", "--output", "out"]).ended;
      expect(elsewhere).toEqual({ code: 1, text: expect.stringContaining("on a clone of another repository") });
    },
  );

  test.skipIf(process.platform !== "linux")(
    "that was killed ends what it has left behind, and goes on with its sprint (EX-01)",
    async () => {
      rmSync(join(root, "pids"), { force: true });
      const { child, ended } = start(begin("long.yaml", "killed"));
      await until(() => pids().length === 2);
      child.kill("SIGKILL");
      await ended;
      expect(pids().some(isGone)).toBe(false);
      folder.put("calm", "");
      const again = await start(["--sprints", "1", "--output", "killed"]).ended;
      expect(again.code, again.text).toBe(0);
      await until(() => pids().every(isGone));
      const { columns } = JSON.parse(folder.read("killed/alpha/sprint-01/kanban.json"));
      expect(columns.ready).toMatchObject([{ title: "Story 2" }]); // as the triage's session has said
      expect(reportOf("killed").teams.alpha.sprints).toMatchObject([{ sprint: 1, session: { state: "ended" } }]);
    },
  );
});
