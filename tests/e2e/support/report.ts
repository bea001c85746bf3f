/** A builder's report that the linter takes as it is. */
export const builderReport = (agent = "ada", file = "src/a.txt") => `# [Builder] Report
Status: COMPLETE

## [${agent}] - [Second line]

**Files touched**: ${file}
**Tests affected**: none

### Findings / Changes Made

### The second line is there

- File: ${file}:2
- Severity: LOW
- It was appended

### Cross-Domain Tags

None

### Verification

- [x] Code compiles/runs
- [x] Tests pass
- [x] No lint errors
- [x] Matches existing patterns

### Knowledge Base Additions

- The file ends with a newline
`;
