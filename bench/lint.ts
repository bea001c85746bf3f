import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { evidenceFiles, generateReport } from "./reports.ts";
import { type Bench, inMs, interleaved, type Measurement, median, ratioOf, runToEnd } from "./support.ts";

/** `report lint` over a folder of reports against a program that only reads and parses them. */
export async function benchLint(bench: Bench, reports: number): Promise<Measurement[]> {
  const project = join(bench.folder, "reports-project");
  mkdirSync(join(project, "reports"), { recursive: true });
  mkdirSync(join(project, "src"));
  for (const path of evidenceFiles) writeFileSync(join(project, path), "// a line\n".repeat(400));
  for (let number = 0; number < reports; number += 1)
    writeFileSync(join(project, "reports", `${String(number).padStart(6, "0")}.md`), generateReport(number));
  const launcher = join(bench.folder, "bin/teamwright");
  const { ours, floor } = await interleaved(3, {
    ours: () => runToEnd(bench, [launcher, "report", "lint", "reports", "--json"], project),
    floor: () => runToEnd(bench, [bench.floorLint, join(project, "reports")], project),
  });
  return [
    {
      name: `report lint, ${reports} reports`,
      ours: inMs(median(ours)),
      floor: `${inMs(median(floor))} (only parsing them)`,
      ratio: ratioOf(ours, floor),
      budget: 1.5,
      note: `${inMs(median(ours) / reports)} each, files read and evidence looked up`,
    },
  ];
}
