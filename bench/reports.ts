/** Reports as agents write them, the same ones for the same number. */

const roles = ["Builder", "Tester", "Reviewer", "Researcher"];
const verbs = ["Added", "Mended", "Measured", "Renamed", "Reviewed"];
const things = ["the login page", "the session store", "the import of orders", "the price table", "the search index"];
const details = [
  "The value is read once at the start and kept, so a later change of the file is not seen.",
  "A timeout of 5 s is set where there was none; the caller gets `UNAVAILABLE` instead of waiting.",
  "The **second** parameter is optional now, and three callers leave it out.",
  "Two tests covered only the first branch; a third covers the refusal.",
  "The loop ran once too often when the list was empty.",
];
const severities = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];
const targets = ["builder", "tester", "reviewer", "coordinator"];

/** Files that the reports name as evidence; each has 400 lines. */
export const evidenceFiles: readonly string[] = Array.from({ length: 40 }, (_, n) => `src/part-${n}.ts`);

/** A report of 2 to 5 kB; every eighth has something to find. */
export function generateReport(number: number): string {
  let state = number * 2_654_435_761 + 12_345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? "";
  const place = () => `${pick(evidenceFiles)}:${1 + random(400)}`;
  const isFaulty = number % 8 === 0;
  const findings = Array.from({ length: 2 + random(6) }, (_, index) => {
    const bullets = Array.from({ length: 1 + random(4) }, () => `- ${pick(details)} Seen at \`${place()}\`.`);
    const code =
      index === 1
        ? ["", "```ts", "export function read(path: string): string {", "  return cache.get(path);", "}", "```"]
        : [];
    return [
      `### ${pick(verbs)} ${pick(things)}`,
      `- File: ${place()}`,
      `- Severity: ${isFaulty && index === 0 ? "important" : pick(severities)}`,
      ...bullets,
      ...code,
      "",
    ].join("\n");
  });
  const tags = Array.from(
    { length: 1 + random(3) },
    (_, index) => `- CROSS-DOMAIN:${pick(targets)}: ${pick(details)} (${number}.${index}, ${place()})`,
  );
  return `# ${pick(roles)} Report
Status: ${isFaulty ? "done" : "COMPLETE"}

## agent-${number % 50} - ${pick(verbs)} ${pick(things)}

**Files touched**: ${pick(evidenceFiles)}, ${pick(evidenceFiles)}
**Tests affected**: tests/part.test.ts

### Findings / Changes Made
${findings.join("\n")}
### Cross-Domain Tags
${tags.join("\n")}

### Verification
- [x] Code compiles/runs
- [${isFaulty ? " " : "x"}] Tests pass
- [x] No lint errors
- [x] Matches existing patterns

### Knowledge Base Additions
- ${pick(verbs)} things are found by their path in ${pick(evidenceFiles)}.
- The index of ${pick(things)} is built at the start.
`;
}
