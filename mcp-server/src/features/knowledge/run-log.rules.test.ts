import { expect, test } from "vitest";
import { type RunStatistics, renderRunLog, runLogName } from "./run-log.rules.ts";

const run: RunStatistics = {
  key: "run-00000001",
  name: "issue-123",
  level: "issue",
  mode: "task",
  verdict: "team",
  teams: ["alpha"],
  startedAt: Date.UTC(2026, 10, 21, 9),
  endedAt: Date.UTC(2026, 10, 21, 10, 30),
  isOpen: false,
  note: null,
  tasks: [
    { key: "tw-1", title: "Write the | parser", status: "closed", outcome: "done" },
    { key: "tw-2", title: "Write the\nmanual", status: "open", outcome: null },
  ],
  created: 2,
  spawns: [{ n: 1, task: "tw-1", model: "opus", log: null, scores: { ambiguity: 2, risk: 0 } }],
  acknowledged: null,
  estimateMicroUsd: 2_120_000,
  messages: 3,
  gates: [{ gate: "tests", passed: 1, failed: 2, milliseconds: 4200 }],
  units: [
    { title: "Write the | parser", phase: "done", attempts: 2, stage: 1, commit: "0123456789abcdef", files: ["a.ts"] },
  ],
  events: [{ type: "review.opened", n: 2 }],
  learned: [],
};

test("a run's log has the statistics the server knows (LP-02, TD-04)", () => {
  expect(renderRunLog(run)).toMatchInlineSnapshot(`
    "<!-- teamwright:run run-00000001 -->
    # issue-123 - 2026-11-21

    **Tasks:** 2 created, 1 completed, 1 remaining

    | | |
    |---|---|
    | Run | run-00000001, issue |
    | Teams | alpha |
    | Mode | task; entry verdict team |
    | Time | 2026-11-21T09:00:00Z to 2026-11-21T10:30:00Z (90 min) |
    | Spawns | 1 |
    | Models | 1 opus |
    | Estimated cost | $2.12 |
    | Messages | 3 |

    ## Tasks

    - tw-1 Write the | parser: closed
    - tw-2 Write the manual: open

    ## Work units

    - Write the | parser: stage 1, done, 2 attempts

    ## Deliverables

    - 0123456789 Write the | parser: a.ts

    ## Gates

    - tests: 1 passed, 2 failed, 4 s

    ## Spawns

    - tw-1, model opus; ambiguity 2, risk 0

    ## Protocol

    - review.opened: 2
    "
  `);
});

test("its name has the day, the team and the feature, and leads nowhere else", () => {
  expect(runLogName(run)).toBe("2026-11-21-alpha-issue-123");
  expect(runLogName({ ...run, teams: ["alpha", "beta"] }, "-2")).toBe("2026-11-21-teams-issue-123-2");
  expect(runLogName({ ...run, name: "../../etc/Passwd é" })).toBe("2026-11-21-alpha-etc-passwd");
  expect(runLogName({ ...run, name: "…" })).toBe("2026-11-21-alpha-run");
});
