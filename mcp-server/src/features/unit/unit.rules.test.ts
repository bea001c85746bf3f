import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { historyCommand, MERGING_TOOLS, mergesRequest, plainPush } from "./shell.rules.ts";
import { commitMessage, isCommitOf, nextPhase, type Phase, phases, type UnitEvent } from "./unit.rules.ts";

const events: UnitEvent[] = [
  "start",
  "submit",
  "pass",
  "fail",
  "exhaust",
  "approve",
  "reject",
  "commit",
  "changed",
  "resume",
  "override",
  "abandon",
];

describe("the loop (FP-01, FP-15)", () => {
  test("nothing is done without a passed gate, an approval and a commit, in that order, unless a person overrides", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 60 }), (walk) => {
        let phase: Phase = "planned";
        let gate = false;
        let approved = false;
        let overridden = false;
        for (const event of walk) {
          let next: Phase;
          try {
            next = nextPhase({ key: "wu-1", phase }, event);
          } catch {
            continue;
          }
          if (event === "submit") [gate, approved] = [false, false];
          if (event === "pass") gate = true;
          if (event === "approve") approved = true;
          if (event === "changed") [gate, approved] = [false, false];
          if (next === "done") expect((gate && approved) || overridden).toBe(true);
          overridden = event === "override" || (overridden && next === "commit");
          phase = next;
        }
      }),
      { numRuns: 5000 },
    );
  });

  test("what is over stays over, and every refusal names a next step", () => {
    for (const phase of phases)
      for (const event of events) {
        try {
          nextPhase({ key: "wu-1", phase }, event);
          expect(["done", "abandoned"]).not.toContain(phase);
        } catch (error) {
          expect(error).toMatchObject({
            code: "RULE_VIOLATED",
            hint: { operation: expect.stringMatching(/^(unit|review|brief)_/) },
          });
        }
      }
  });

  test("a commit of ours is known by its trailers, and says who overrode (FP-05)", () => {
    const facts = { key: "wu-1", title: "Add a line", items: ["it is there"], taskKey: "tw-1", attempts: 2 };
    const passed = commitMessage({ ...facts, review: "rv-1" });
    expect(passed).toMatch(/^feat\(wu-1\): Add a line\n/);
    expect(passed).toContain("- [x] it is there");
    expect(isCommitOf("wu-1", passed)).toBe(true);
    expect(commitMessage({ ...facts, review: undefined, overriddenBy: "pat" })).toMatch(
      /- \[ \] it is there[\s\S]*Overridden-by: pat/,
    );
    expect(isCommitOf("wu-1", "fix: quick one")).toBe(false);
  });
});

describe("shell commands that would write history (design §7)", () => {
  test.each([
    "git commit -m x",
    "git -C /elsewhere commit -m x",
    "git -c user.name=x commit --amend",
    "cd a && /usr/bin/git push origin main",
    "echo $(git stash)",
    'gi"t" commit -m x',
    "git \\\n commit",
    "true | xargs git reset --hard",
    "{ git checkout -- .; }",
    "git worktree add ../x",
    "git -c alias.x=commit x -m y",
    "git config alias.ok push && git ok",
  ])("%s is one", (command) => {
    expect(historyCommand(command)).toBeDefined();
  });

  test.each([
    "git status",
    "git log --grep commit",
    "git diff HEAD~1",
    "git worktree list",
    "git stash list",
    "git apply --check p.diff",
    "echo commit",
    "grep -rn 'git-commit' .",
    "npm run commit-lint",
  ])("%s is none", (command) => {
    expect(historyCommand(command)).toBeUndefined();
  });

  test.each([
    "gh pr merge 7 --squash",
    "cd x && /usr/bin/gh -R o/r pr merge --auto",
    "gh pr --repo o/r 'merge' 7",
    "gh api -X PUT repos/o/r/pulls/7/merge",
    "gh api graphql -f query='mutation { enablePullRequestAutoMerge(input: {}) }'",
    "glab mr accept 3",
    "curl -X PUT https://api.github.com/repos/o/r/pulls/7/merge",
  ])("%s merges a request (FP-13)", (command) => {
    expect(mergesRequest(command)).toBe(true);
  });

  test.each([
    "gh pr view 7",
    "gh pr create --title 'Gentler merge'",
    "gh pr checks 7 --watch",
    "gh api repos/o/r/pulls/7",
    "curl https://example.org/merge",
    "git merge-base a b",
  ])("%s merges no request", (command) => {
    expect(mergesRequest(command)).toBe(false);
  });

  test("tools that merge are known by their names (FP-13)", () => {
    const names = [
      "mcp__github__merge_pull_request",
      "mcp__gitlab__accept_merge_request",
      "mcp__gitlab__merge_merge_request",
    ];
    expect(names.every((name) => MERGING_TOOLS.test(name))).toBe(true);
    expect(MERGING_TOOLS.test("mcp__github__get_pull_request")).toBe(false);
  });

  test.each([
    ["git push", "HEAD"],
    ["git push -u origin feat/a", "feat/a"],
    ["git push --set-upstream origin HEAD", "HEAD"],
    ["git push origin", "HEAD"],
    ["git push -f", undefined],
    ["git push --force-with-lease origin a", undefined],
    ["git push origin :a", undefined],
    ["git push origin a:b", undefined],
    ["git push origin +a", undefined],
    ["git push --tags", undefined],
    ["git push origin a b", undefined],
    ["git push; rm x", undefined],
    ["git push $(git commit)", undefined],
    ["git -C .. push", undefined],
    ["git push --no-follow-tags origin a", "a"],
    ["git push --mirror", undefined],
    ["git push --repo=x", undefined],
    ["git push origin HEAD~1", undefined],
    ["git push origin tag v1", undefined],
    ["git push ../x main", undefined],
    ["git push .", undefined],
    ["git push\nmake", undefined],
    ["git\npush", undefined],
    ["git push origin\nmain", undefined],
    ["A=b git push", undefined],
    ["git push & make", undefined],
    ["git push origin a # b", undefined],
  ])("%s is a plain push of %s (FP-06)", (command, branch) => {
    expect(plainPush(command)?.branch).toBe(branch);
  });
});
