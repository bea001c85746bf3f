import { expect, test } from "vitest";
import { type DoneFacts, doneList } from "./done-list.rules.ts";

const nothing: DoneFacts = {
  gates: [],
  validated: undefined,
  items: ["it is there"],
  review: undefined,
  overriddenBy: undefined,
  report: undefined,
  files: undefined,
};
const judged = {
  n: 1,
  verdict: "PASS" as const,
  evidence: [{ path: "a.ts", line: 3 }],
  test: "none" as const,
  text: "",
};
const report = { agent: "ada", boxes: [{ text: "Tests pass", checked: true }], files: ["a.ts"], learnings: 1 };

test("before anybody has looked nothing is ticked (DC-01)", () => {
  expect(doneList(nothing)).toEqual([
    { item: "changes within the scope only", how: "checked" },
    { item: "it is there", how: "reviewed" },
  ]);
});

test("what the server has seen, what a stranger has judged and what somebody says are told apart (DC-03)", () => {
  const gates = [{ gate: "tests", result: "failed" }];
  const facts = { ...nothing, gates, validated: false, review: { key: "rv-1", items: [judged] }, report };
  expect(doneList({ ...facts, files: ["a.ts", "b.ts"] })).toEqual([
    { item: "gate tests", how: "checked", ok: false, by: "failed" },
    { item: "changes within the scope only", how: "checked", ok: false },
    { item: "it is there", how: "reviewed", ok: true, by: "rv-1 a.ts:3" },
    { item: "Tests pass", how: "attested", ok: true, by: "ada" },
    { item: "files touched are listed", how: "checked", ok: false, by: "not named: b.ts" },
    { item: "learnings written down: 1", how: "attested", ok: true, by: "ada" },
  ]);
});

test("what a person takes as it is was reviewed by nobody (DC-03, RE-02)", () => {
  const [, item] = doneList({ ...nothing, overriddenBy: "pat", review: { key: "rv-1", items: [judged] } });
  expect(item).toEqual({ item: "it is there", how: "attested", ok: true, by: "pat, a person" });
});
