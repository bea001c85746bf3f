/** The one gate before a commit: everything that needs no second process or database, side by side. `npm run check` */
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules/.bin");

const checks: readonly { readonly name: string; readonly command: readonly [string, ...string[]] }[] = [
  { name: "types", command: ["tsc", "--noEmit"] },
  { name: "lint and format", command: ["biome", "ci", "--colors=off", "--max-diagnostics=50"] },
  { name: "generated files", command: ["node", "scripts/generate.ts", "--check"] },
  { name: "unit tests", command: ["vitest", "run", "--project", "unit", "--reporter=dot"] },
];

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

function run({ name, command: [program, ...args] }: (typeof checks)[number]): Promise<Outcome> {
  const begun = performance.now();
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, NO_COLOR: "1" };
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env, shell: process.platform === "win32" });
    let output = "";
    const finish = (passed: boolean) =>
      resolve({ name, passed, seconds: (performance.now() - begun) / 1000, output: output.trim() });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", (error) => {
      output += error.message;
      finish(false);
    });
    child.on("close", (code) => finish(code === 0));
  });
}

const begun = performance.now();
const outcomes = await Promise.all(
  checks.map(async (check) => {
    const outcome = await run(check);
    console.log(
      `${outcome.passed ? "ok  " : "FAIL"}  ${outcome.name.padEnd(16)} ${outcome.seconds.toFixed(1).padStart(6)} s`,
    );
    return outcome;
  }),
);

const failed = outcomes.filter((outcome) => !outcome.passed);
for (const { name, output } of failed) console.log(`\n--- ${name} ---\n${output}`);
const total = ((performance.now() - begun) / 1000).toFixed(1);
console.log(
  failed.length === 0
    ? `\nAll ${outcomes.length} checks passed in ${total} s.`
    : `\n${failed.length} of ${outcomes.length} checks failed (${total} s).`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
