import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Principal } from "../../kernel/principal.ts";
import {
  type CompletionFacts,
  clientState,
  clientStates,
  decideCompletion,
  differenceOf,
  titleFor,
  wantedIn,
} from "./bridge.rules.ts";

const lead: Principal = { kind: "lead", key: "lead:s1", name: "lead", session: "s1" };
const ada: Principal = { kind: "agent", key: "agent:a1", name: "ada", agentId: "a1", session: "s1" };
const task = (status: string, holder: string | null = null) => ({
  key: "tw-1",
  status,
  holder,
  holderName: holder === null ? null : "ada",
});

describe("what completing a client task does (BD-03, C-01)", () => {
  const cases: [string, CompletionFacts, string][] = [
    ["a closed task stays", { task: task("closed"), principal: ada }, "nothing"],
    ["the holder closes outside a run", { task: task("in_progress", ada.key), principal: ada }, "close"],
    ["the holder closes in task mode", { task: task("in_progress", ada.key), principal: ada, mode: "task" }, "close"],
    [
      "the holder hands in in team mode",
      { task: task("in_progress", ada.key), principal: ada, mode: "team" },
      "review",
    ],
    ["an obstacle hands in", { task: task("in_progress", ada.key), principal: ada, obstacle: "waits" }, "review"],
    ["handed in is left to the lead", { task: task("in_review", ada.key), principal: ada, mode: "team" }, "nothing"],
    ["nobody completes what it does not hold", { task: task("open"), principal: ada }, "refused"],
    ["nor what another holds", { task: task("in_progress", "agent:a2"), principal: ada }, "refused"],
    [
      "the lead closes what was handed in",
      { task: task("in_review", ada.key), principal: lead, mode: "team" },
      "close",
    ],
    ["the lead closes what nobody holds", { task: task("open"), principal: lead }, "close"],
    ["the lead waits for who works", { task: task("in_progress", ada.key), principal: lead }, "refused"],
    ["the lead, too, meets an obstacle", { task: task("open"), principal: lead, obstacle: "waits" }, "refused"],
    ["an unknown completer moves nothing", { task: task("in_progress", ada.key), principal: undefined }, "nothing"],
  ];
  test.each(cases)("%s", (_, facts, outcome) => {
    expect(decideCompletion(facts).outcome).toBe(outcome);
  });

  const someFacts = fc.record({
    task: fc.record({
      key: fc.constant("tw-1"),
      status: fc.constantFrom("open", "deferred", "in_progress", "in_review"),
      holder: fc.constantFrom(null, ada.key, lead.key, "agent:a2"),
      holderName: fc.constantFrom(null, "ada"),
    }),
    obstacle: fc.constantFrom(undefined, "it waits"),
    principal: fc.constantFrom(undefined, ada, lead),
    mode: fc.constantFrom(undefined, "task", "team"),
  });
  const unit = { key: "wu-1", phase: "review", step: "review_open" };

  test("over open gates nobody completes, whoever asks and whatever holds", () => {
    fc.assert(fc.property(someFacts, (facts) => decideCompletion({ ...facts, unit }).outcome === "refused"));
  });

  test("in team mode an agent closes nothing; an agent moves nothing it does not hold", () => {
    fc.assert(
      fc.property(someFacts, (facts) => {
        if (facts.principal !== ada) return true;
        const { outcome } = decideCompletion(facts);
        if (facts.mode === "team" && outcome === "close") return false;
        return facts.task.holder === ada.key || outcome === "refused";
      }),
    );
  });
});

describe("the two records of one task (BD-07, C-10)", () => {
  test.each([
    ["creating", null, null, "unlinked"],
    ["deleted", null, null, undefined],
    ["pending", "linked", "closed", "open_there"],
    ["completing", "linked", "closed", "open_there"],
    ["completed", "linked", "closed", undefined],
    ["completed", "linked", "in_review", "open_here"],
    ["completing", "created", "in_progress", "unconfirmed"],
    ["deleted", "created", "open", "deleted_there"],
    ["deleted", "linked", "open", undefined],
    ["in_progress", "linked", "open", undefined],
  ])("%s there (%s), %s here: %s", (state, origin, status, difference) => {
    expect(differenceOf({ state, origin, status })).toBe(difference);
  });

  test("only what is closed on both sides, or open on both, agrees", () => {
    for (const state of clientStates.filter((each) => each !== "deleted")) {
      const isOver = state === "completed";
      expect(differenceOf({ state, origin: "linked", status: "closed" }) === undefined).toBe(isOver);
    }
  });

  test("words of the client", () => {
    expect(["pending", "in_progress", "completed", "deleted", "creating", 3].map(clientState)).toEqual([
      "pending",
      "in_progress",
      "completed",
      "deleted",
      undefined,
      undefined,
    ]);
  });
});

describe("what a client task says of itself (BD-02)", () => {
  test("our id goes before that of BEADS, and anything else names nothing", () => {
    expect(wantedIn({ beads_id: "bd-1", teamwright_id: " tw-2 " })).toBe("tw-2");
    expect(wantedIn({ beads_id: "bd-1", teamwright_id: 7 })).toBe("bd-1");
    expect([wantedIn(undefined), wantedIn([]), wantedIn({}), wantedIn({ beads_id: "" })]).toEqual(
      Array(4).fill(undefined),
    );
  });

  test("any subject makes a title both stores take", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 900 }), (subject) => {
        const title = titleFor(subject, "3");
        expect(title.trim().length).toBeGreaterThan(0);
        expect(Buffer.byteLength(title)).toBeLessThanOrEqual(500);
        expect(title.isWellFormed() && !title.includes("\u0000")).toBe(true);
      }),
    );
  });
});
