/**
 * `npm run bench [-- --json] [--small] [start|reads|writes|guard|memory|ready|claims|lint|experiments …]`: the budgets
 * of the design as ratios to floors that are measured in the same run. Only the ratios mean something on another machine.
 */
import { parseArgs } from "node:util";
import { benchGuard, benchMemory, benchReads, benchWrites } from "./calls.ts";
import { benchExperiments } from "./experiments.ts";
import { benchLint } from "./lint.ts";
import { benchStart } from "./start.ts";
import { benchClaims, benchReady } from "./store.ts";
import { type Bench, type Measurement, prepare } from "./support.ts";

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, small: { type: "boolean", default: false } },
  allowPositionals: true,
});

const benches: Readonly<Record<string, (bench: Bench) => Promise<Measurement[]>>> = {
  start: benchStart,
  reads: benchReads,
  writes: benchWrites,
  guard: benchGuard,
  memory: benchMemory,
  ready: (bench) => benchReady(bench, values.small ? [1000, 100_000] : [1000, 100_000, 1_000_000]),
  claims: benchClaims,
  lint: (bench) => benchLint(bench, values.small ? 1000 : 10_000),
  experiments: (bench) => benchExperiments(bench, values.small ? 40 : 100),
};

const unknown = positionals.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`No bench ${unknown.join(", ")}; there are ${Object.keys(benches).join(", ")}.`);
  process.exit(2);
}
const chosen = positionals.length > 0 ? positionals : Object.keys(benches);

function isMet({ ratio, budget, atLeast }: Measurement): boolean {
  return atLeast ? ratio >= budget : ratio <= budget;
}

function line(cells: readonly string[]): string {
  const widths = [42, 10, 32, 9, 9];
  return cells
    .map((cell, index) =>
      index === 0 || index === 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
    )
    .join("  ");
}

const begun = performance.now();
await using bench = await prepare();
const results: Measurement[] = [];
if (!values.json) {
  console.log(`Teamwright, ${bench.builtFrom}; every row against its floor in this same run.\n`);
  console.log(line(["", "ours", "floor", "ratio", "budget"]));
}
for (const name of chosen) {
  for (const row of (await benches[name]?.(bench)) ?? []) {
    results.push(row);
    if (values.json) continue;
    const budget = `${row.atLeast ? "≥" : "≤"} ${row.budget}`;
    console.log(
      `${line([row.name, row.ours, row.floor, row.ratio.toFixed(2), budget])}  ${isMet(row) ? "ok" : "missed"}${row.note ? `  ${row.note}` : ""}`,
    );
  }
}
const seconds = (performance.now() - begun) / 1000;
const missed = results.filter((row) => !isMet(row));
if (values.json) {
  console.log(
    JSON.stringify(
      {
        seconds,
        node: process.version,
        platform: `${process.platform}-${process.arch}`,
        results: results.map((row) => ({ ...row, ok: isMet(row) })),
      },
      null,
      2,
    ),
  );
} else {
  console.log(`\n${results.length - missed.length} of ${results.length} within budget, in ${seconds.toFixed(0)} s.`);
}
process.exitCode = missed.length > 0 ? 1 : 0;
