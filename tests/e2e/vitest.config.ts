import { defineConfig } from "vitest/config";

/** Each test drives the real client and takes seconds; files run side by side, tests of one file in turn. */
export default defineConfig({
  test: {
    name: "e2e",
    root: import.meta.dirname,
    include: ["*.e2e.ts"],
    testTimeout: 200_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // The client is not ours, and a slow machine starves it; scripts/sum-results.ts names what needed a second try.
    retry: 1,
  },
});
