/** `npm run experiment`, the second half of `npm start`: the two teams of the example play three sprints on simulated agents. No account, no model, no network. */
import { spawnSync } from "node:child_process";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = join(import.meta.dirname, "../..");
const { values } = parseArgs({ options: { out: { type: "string" } } });
const stamp = new Date().toISOString().slice(0, 19).replace(/[:-]/g, "").replace("T", "-");
const folder = values.out ? resolve(values.out) : join(root, "out", `start-${stamp}`);
const page = join(folder, "report.html");

/** One command of ours, in sight; the first that fails ends it all. */
function teamwright(words: readonly string[], stdio: "inherit" | ["ignore", "ignore", "inherit"]): void {
  const { status, signal } = spawnSync(process.execPath, [join(root, "bin/teamwright"), ...words], {
    stdio,
    cwd: root,
  });
  if (status !== 0) process.exit(signal ? 130 : (status ?? 1));
}

const example = join("examples", "two-teams", "config.yaml");
teamwright(["experiment", "run", "--config", example, "--sprints", "3", "--output", folder], "inherit");
teamwright(["experiment", "compare", `two-teams=${folder}`, "--html", page], ["ignore", "ignore", "inherit"]);

const here = (path: string) => relative(process.cwd(), path) || ".";
process.stdout.write(`
Velocity, blocked time, loans and overhead as plots: ${here(page)}
Boards, pairing logs and retrospectives of each sprint: ${here(folder)}
Next: examples/experiments compares policies.
`);
