/** Sums vitest's JSON reports to the closing line of .ci/run. Arguments: --broken=N and the report files. */
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";

interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { status: string }[];
  }[];
}

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
  ).length;
  passed += report.numPassedTests;
  failed += report.numFailedTests + unloadable;
  // An error outside of any test, such as an unhandled rejection.
  if (!report.success && report.numFailedTests + unloadable === 0) failed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
