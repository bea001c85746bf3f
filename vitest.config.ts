import { defineConfig } from "vitest/config";

/** `DIALECTS=sqlite` narrows the scenarios to the embedded store for the inner loop. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["mcp-server/src/**/*.test.ts", "tests/*.test.ts"], testTimeout: 20_000 } },
      {
        test: {
          name: "scenarios",
          include: ["tests/scenarios/**/*.test.ts"],
          isolate: false, // files of one worker share its PGlite, whose start takes seconds
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "processes",
          include: ["tests/processes/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
