import { defineConfig } from "vitest/config";

/** Minutes of work between them: `npm run test:heavy`, and in CI. */
const heavy = [
  "tests/processes/races.test.ts",
  "tests/processes/crash.test.ts",
  "tests/processes/loop-crash.test.ts",
  "tests/processes/demo.test.ts", // half a minute of live boards, three times
  "tests/processes/experiment.test.ts",
  "tests/processes/experiment-live.test.ts",
  "tests/processes/experiment-live-hostile.test.ts",
  "tests/processes/experiment-parallel.test.ts",
  "tests/processes/first-start.test.ts",
  "tests/processes/check-diff.test.ts",
  "tests/processes/coordination.test.ts",
  "tests/processes/lint.test.ts", // thousands of reports
  "tests/processes/portfolio.test.ts",
  "tests/scenarios/history.test.ts",
  "tests/scenarios/ways-around.test.ts",
  "tests/scenarios/history-hidden.test.ts",
  "tests/scenarios/adversaries.test.ts",
  "tests/scenarios/integration.test.ts", // git does the work, hundreds of processes of it
  "tests/scenarios/reviews-hardened.test.ts",
  "tests/scenarios/stages.test.ts",
  "tests/scenarios/isolation.test.ts",
  "tests/scenarios/workflow.test.ts",
  "tests/scenarios/units-hardened.test.ts",
  "tests/scenarios/units-override.test.ts",
  "tests/scenarios/units.test.ts",
  "tests/scenarios/verdicts.test.ts",
  "tests/scenarios/fuzz.test.ts",
];

/**
 * Tests of processes and servers that wait for each other may be starved on a busy machine: CI tries them twice, and
 * scripts/sum-results.ts names what needed it.
 */
const retry = process.env.CI ? 1 : 0;

/** `DIALECTS=sqlite` narrows the scenarios to the embedded store for the inner loop. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["mcp-server/src/**/*.test.ts", "tests/*.test.ts"],
          exclude: ["tests/cli.test.ts"],
          isolate: false, // pure rules
          sequence: { groupOrder: 0 },
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "scenarios",
          include: ["tests/scenarios/**/*.test.ts"],
          exclude: heavy,
          isolate: false, // files of one worker share its PGlite, whose start takes seconds
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "processes",
          retry,
          include: ["tests/processes/**/*.test.ts", "tests/cli.test.ts"],
          exclude: heavy,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "heavy",
          retry,
          include: heavy,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "postgres", // what needs a server of its own: `npm run test:postgres`
          retry,
          include: ["tests/postgres/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 2, // most of the time they wait: for leases, timeouts, servers that are away
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
