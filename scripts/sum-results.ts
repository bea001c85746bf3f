/**
 * Sums vitest's JSON reports to the closing line of .ci/run, and names before it what failed: whoever sees only the
 * end of a long log finds it there. Arguments: --broken=N (steps that failed outside of any test) and the report files.
 */
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";

interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const excerpt = (messages: readonly (string | undefined)[]): string =>
  messages
    .flatMap((message) => (message ?? "").split("\n"))
    // Where the test runner stood tells nothing; where the test stood does.
    .filter((line) => line.trim() !== "" && !/^\s+at .*(?:node_modules|node:internal)/.test(line))
    .slice(0, 12)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join("\n");

const { values, positionals } = parseArgs({ options: { broken: { type: "string" } }, allowPositionals: true });

let passed = 0;
// A step that broke outside of any test still makes the run fail.
let failed = Number(values.broken ?? 0);
for (const file of positionals) {
  if (!existsSync(file)) {
    console.error(`No report ${file}: its tests did not run to the end.`);
    failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  // A file that cannot be loaded has no failed tests of its own, and counts as one.
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((result) => result.status !== "failed"),
  );
  for (const { name, message } of unloadable) console.log(`FAILED ${name}\n${excerpt([message])}`);
  for (const { name, assertionResults } of report.testResults)
    for (const { status, fullName, failureMessages = [] } of assertionResults) {
      // vitest keeps what a first try said of a test that passed at the second.
      const word = status === "failed" ? "FAILED" : "PASSED AT THE SECOND TRY";
      if (status === "failed" || (status === "passed" && failureMessages.length > 0))
        console.log(`${word} ${name} > ${fullName}\n${excerpt(failureMessages)}`);
    }
  passed += report.numPassedTests;
  failed += report.numFailedTests + unloadable.length;
  // An error outside of any test, such as an unhandled rejection.
  if (!report.success && report.numFailedTests + unloadable.length === 0) {
    console.log(`FAILED ${file}: an error outside of any test`);
    failed += 1;
  }
}
if (values.broken !== undefined && values.broken !== "0")
  console.log(`FAILED steps outside of any test: ${values.broken}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
