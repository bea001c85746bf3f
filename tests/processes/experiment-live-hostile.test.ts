/** Sessions that lie, die and print too much, and runners that are killed, doubled or put into the wrong folder. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { experimentFolder, isGone, until } from "../support/experiment-runs.ts";
import { node } from "../support/processes.ts";
import { makeRepository } from "../support/repository.ts";

const folder = experimentFolder("hostile");
const { root } = folder;
const bin = join(import.meta.dirname, "../../bin/teamwright");
const OUT = "out 'a' \"b\" $(touch pwned)";

/**
 * In its first sprint the team alpha makes of the settings a link to a file of the person's, leaves a lock and a hook in
 * the repository and says what a terminal would obey; beta reads nothing and hangs until it is told to be calm, and then
 * prints a line of 20 MB.
 */
const client = `#!/bin/sh
if [ "$1" = --version ]; then echo "Wrapped by v99.1.2"; echo "2.1.329 (Claude Code)"; exit 0; fi
say() { printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","num_turns":2,"total_cost_usd":0.25}' "$1"; }
case "$TEAMWRIGHT_EXPERIMENT_TEAM" in
alpha)
  echo >> "$HOME/times"
  if [ ! -e "$HOME/tampered" ]; then
    touch "$HOME/tampered" .git/index.lock
    mv teamwright.yaml .git/before
    ln -s "$HOME/victim" teamwright.yaml
    printf '#!/bin/sh\\ntouch "%s/hooked"\\n' "$HOME" > .git/hooks/post-commit
    chmod +x .git/hooks/post-commit
  fi
  while [ -e "$HOME/waits" ]; do sleep 0.1; done
  if [ -e "$HOME/fails" ]; then printf '\\033]0;owned\\007\\033[2Jboo' >&2; exit 1; fi
  say 'KEEP: \\\\u001b[2Jwork of '"$(wc -l < "$HOME/times" | tr -d ' ')" ;;
beta)
  while [ "$1" != --session-id ]; do shift; done
  if [ ! -e "$HOME/calm" ]; then echo "$2" > "$HOME/id"; echo $$ >> "$HOME/pids"; exec sleep 600; fi
  head -c 20000000 /dev/zero | tr '\\0' '"'
  printf '\\n'
  say 'DROP: noise' ;;
esac
`;

const config = `teams:
  - { id: alpha, agents: [abe] }
  - { id: beta, agents: [bea] }
portfolio: { stories_per_team: 1 }
experiment: { name: hostile, claude: { time_box_seconds: 600 } }
`;
const MINE = "# mine\nteams: [{ id: alpha }, { id: beta }]\n";
const title = "--output /tmp/x\\nIgnore all that \\e[2J";

beforeAll(() => {
  folder.put("bin/claude", client, 0o755);
  folder.put("config.yaml", config);
  folder.put("victim", MINE);
  const story = (id: number) => `  - { id: S${id}, title: "${title}", story_points: 1 }`;
  folder.put("backlog.yaml", ["stories:", story(1), story(2), story(3), story(4)].join("\n"));
});
afterAll(folder.remove);

const start = (...args: string[]) => folder.start([bin], ["run", ...args]);

const inputs = ["--config", "config.yaml", "--backlog", "backlog.yaml", "--sprints", "2"];
const begin = (output: string, ...more: string[]) =>
  start("--agents", "claude", ...inputs, "--output", output, ...more);

const linesOf = (name: string) =>
  existsSync(join(root, name)) ? readFileSync(join(root, name), "utf8").trim().split("\n") : [];

const cli = (cwd: string, ...args: string[]) => execFileSync(node, [bin, ...args], { cwd, env: folder.env });

describe.skipIf(process.platform !== "linux")("an experiment of real sessions, against the grain", () => {
  test("one runner has the folder, by whichever way; killed, it leaves nothing held, said or paid for behind (EX-01)", async () => {
    const project = join(root, OUT, "project");
    const first = begin(OUT);
    await until(() => linesOf("pids").length === 1 && first.text().includes("sprint 1, alpha: ended"));
    symlinkSync(OUT, join(root, "other way"));
    const second = begin("other way");
    expect(await second.ended).toEqual({ code: 1, text: expect.stringContaining("at the same time") });

    // what beta's session holds when it is killed with its runner
    cli(project, "task", "claim", "--team", "beta");
    const db = new Database(join(project, ".teamwright/state.db"));
    db.prepare("update task set holder = ? where holder is not null").run(`lead:${linesOf("id")[0]}`);
    db.close();
    first.child.kill("SIGKILL");
    await first.ended;
    writeFileSync(join(root, "calm"), "");

    const third = start("--continue", "2", "--output", "other way");
    expect((await third.ended).code, third.text()).toBe(0);
    await until(() => linesOf("pids").map(Number).every(isGone));
    const json = (path: string) => JSON.parse(readFileSync(join(root, OUT, path), "utf8"));
    const { alpha, beta } = json("final_report.json").teams;
    expect(alpha.sprints[0]).toMatchObject({ session: { state: "ended", turns: 4, cost_usd: 0.5 } });
    expect(beta.sprints[0]).toMatchObject({ wip: 0, session: { state: "ended", cost_usd: 0.25 } });
    const retro = readFileSync(join(root, OUT, "alpha/sprint-01/retro.md"), "utf8");
    expect(retro).toMatch(/work of 1\n.*work of 2\n/);
    expect(readFileSync(join(root, OUT, "beta/sprint-01/retro.md"), "utf8")).toContain("- lead: noise");

    // nothing of it was obeyed
    expect(retro + first.text() + third.text()).not.toContain("\u001b");
    expect(existsSync(join(root, "pwned"))).toBe(false);
    expect([readFileSync(join(root, "victim"), "utf8"), existsSync(join(root, "hooked"))]).toEqual([MINE, false]);
    expect(lstatSync(join(project, "teamwright.yaml")).isFile()).toBe(true);
    expect(readFileSync(join(project, "teamwright.yaml"), "utf8")).toContain("hostile");
  });

  test("a repository of somebody's own that is in the way is left alone, and half a project is made anew (EX-01)", async () => {
    const own = join(root, "mine/project");
    mkdirSync(join(own, ".teamwright"), { recursive: true });
    const { git } = makeRepository(own);
    cli(own, "task", "create", "--title", "A task of mine");
    const before = git("log", "--format=%H");
    const refused = begin("mine");
    expect(await refused.ended).toEqual({
      code: 1,
      text: expect.stringContaining("was not made for an experiment"),
    });
    expect([git("log", "--format=%H"), existsSync(join(own, "teamwright.yaml"))]).toEqual([before, false]);

    mkdirSync(join(root, "half/.project-draft/.git"), { recursive: true }); // as a clone that was killed leaves it
    writeFileSync(join(root, "half/.project-draft/.git/config"), '[remote "origin"]\n');
    for (const name of ["fails", "calm"]) writeFileSync(join(root, name), "");
    const run = begin("half", "--project", "mine/project");
    const { text } = await run.ended;
    expect(text).toContain("sprint 1, alpha: failed"); // and beta's is ended by itself
    expect(text.includes("\u001b") || text.includes("\u0007")).toBe(false);
    expect(readFileSync(join(root, "half/project/.git/config"), "utf8")).not.toContain("remote");
    expect(existsSync(join(root, "half/.project-draft"))).toBe(false);
  });

  test("a runner whose console is gone takes its sessions with it (CO-12)", async () => {
    for (const name of ["calm", "pids", "fails"]) rmSync(join(root, name), { force: true });
    writeFileSync(join(root, "waits"), "");
    const run = begin("deaf");
    await until(() => linesOf("pids").length === 1);
    run.child.stdout?.destroy();
    run.child.stderr?.destroy();
    rmSync(join(root, "waits"));
    await run.ended;
    await until(() => linesOf("pids").map(Number).every(isGone));
  });
});
