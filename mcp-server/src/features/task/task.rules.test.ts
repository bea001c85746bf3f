import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TeamwrightError } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";
import * as rules from "./task.rules.ts";
import { outcomes, type Task, taskStatuses } from "./task.schema.ts";

const blank: Task = {
  id: 1,
  key: "tw-1",
  team: "main",
  title: "Do it",
  description: null,
  design: null,
  acceptance: null,
  notes: null,
  kind: "task",
  status: "open",
  outcome: null,
  foreignStatus: null,
  priority: 2,
  points: null,
  estimateMinutes: null,
  assignee: null,
  scope: [],
  externalRef: null,
  dueAt: null,
  deferUntil: null,
  blockedReason: null,
  blockedSince: null,
  blockedBy: null,
  blockedMs: 0,
  holder: null,
  holderName: null,
  leaseExpiresAt: null,
  fence: 0,
  openBlockers: 0,
  blockedAncestors: 0,
  openChildren: 0,
  closedChildren: 0,
  readyPrio: 2,
  epicPrio: null,
  pinned: false,
  ephemeral: false,
  template: false,
  version: 1,
  createdAt: 0,
  createdBy: "pat",
  updatedAt: 0,
  startedAt: null,
  closedAt: null,
  closeReason: null,
  foreignRaw: null,
  foreignDigest: null,
};
const aTask = (change: Partial<Task>): Task => ({ ...blank, ...change });
const agent = (id: string): Principal => ({ kind: "agent", key: `agent:${id}`, name: id, team: "main" });
const lead: Principal = { kind: "lead", key: "lead:s1", name: "lead" };
const thrown = (work: () => void): string => {
  try {
    work();
    return "accepted";
  } catch (error) {
    return (error as TeamwrightError).code;
  }
};

const anyTask: fc.Arbitrary<Task> = fc
  .record({
    status: fc.constantFrom(...taskStatuses),
    outcome: fc.option(fc.constantFrom(...outcomes)),
    foreignStatus: fc.option(fc.constantFrom("pinned", "hooked")),
    kind: fc.constantFrom("task", "bug", "epic", "gate", "message", "invented"),
    priority: fc.integer({ min: 0, max: 4 }),
    openBlockers: fc.nat(3),
    blockedAncestors: fc.nat(2),
    openChildren: fc.nat(2),
    closedChildren: fc.nat(2),
    blockedSince: fc.option(fc.nat()),
    holder: fc.option(fc.constantFrom("agent:a", "agent:b")),
    pinned: fc.boolean(),
    ephemeral: fc.boolean(),
    template: fc.boolean(),
  })
  .map((change) => aTask({ ...change, blockedReason: change.blockedSince === null ? null : "stuck" }))
  .map((task) => ({ ...task, readyPrio: rules.readyPriority(task), epicPrio: rules.epicPriority(task) }));

describe("readiness", () => {
  test("what is ready is open, waits for nothing and gives no reason why not; the rest gives one", () => {
    fc.assert(
      fc.property(anyTask, (task) => {
        const reasons = rules.whyNotReady(task, []);
        expect(task.readyPrio === null).toBe(reasons.length > 0);
        if (task.readyPrio !== null)
          expect([task.readyPrio, task.status, rules.holdsChildren(task)]).toEqual([task.priority, "open", false]);
        if (task.epicPrio !== null) expect(task.readyPrio).toBeNull();
      }),
    );
  });

  test("a closed task holds no child and, settled, blocks nobody but those who need its failure", () => {
    fc.assert(
      fc.property(anyTask, (task) => {
        if (task.status === "closed") expect(rules.holdsChildren(task)).toBe(false);
        expect(rules.isEdgeBlocking("blocks", task, null)).toBe(!rules.isSettled(task));
        if (!rules.isSettled(task)) expect(rules.isEdgeBlocking("conditional-blocks", task, null)).toBe(true);
        for (const type of ["parent-child", "related", "tracks", "anything"])
          expect(rules.isEdgeBlocking(type, task, null)).toBe(false);
      }),
    );
    for (const type of ["blocks", "conditional-blocks", "waits-for"])
      expect(rules.isEdgeBlocking(type, undefined, null)).toBe(false);
  });

  test("the outcome decides for conditional links", () => {
    const free = outcomes.filter(
      (outcome) => !rules.isEdgeBlocking("conditional-blocks", aTask({ status: "closed", outcome }), null),
    );
    expect(free).toEqual(["failed", "cancelled"]);
  });

  test.each([
    [0, 0, null, false],
    [1, 0, null, true],
    [1, 1, null, true],
    [0, 3, null, false],
    [1, 1, '{"gate":"any-children"}', false],
    [2, 0, '{"gate":"any-children"}', true],
    [1, 1, '{"gate":"all-children"}', true],
    [1, 1, "{}", true],
    [1, 1, "no json", true],
    [1, 1, "null", true],
    [1, 1, "[]", true],
    [0, 0, '{"also_blocks":true}', true],
    [1, 1, '{"gate":"any-children","also_blocks":true}', true],
    [0, 0, '{"also_blocks":"yes"}', false],
  ])(
    "waits-for with %i open and %i closed children and %s blocks: %s",
    (openChildren, closedChildren, metadata, blocks) => {
      expect(rules.isEdgeBlocking("waits-for", aTask({ openChildren, closedChildren }), metadata)).toBe(blocks);
    },
  );
});

describe("moves", () => {
  test("the table is the whole state machine (C-10)", () => {
    const legal = taskStatuses.map((from) => [
      from,
      taskStatuses.filter((to) => thrown(() => rules.checkMove(aTask({ status: from }), to)) === "accepted"),
    ]);
    expect(Object.fromEntries(legal)).toEqual({
      open: ["in_progress", "closed", "deferred"],
      in_progress: ["open", "in_review", "closed", "deferred"],
      in_review: ["open", "in_progress", "closed"],
      deferred: ["open", "closed"],
      closed: ["open"],
    });
    for (const status of taskStatuses)
      expect(thrown(() => rules.checkMove(aTask({ status }), status))).toBe("RULE_VIOLATED");
  });

  test("from every state every state can be reached, and something may always be done next", () => {
    fc.assert(
      fc.property(anyTask, fc.boolean(), (task, isLead) => {
        expect(rules.nextOperations(task, isLead ? lead : agent("a")).length).toBeGreaterThan(0);
        let states = [task.status];
        for (let step = 0; step < 4; step += 1) {
          states = taskStatuses.filter(
            (to) =>
              states.includes(to) ||
              states.some((from) => thrown(() => rules.checkMove(aTask({ status: from }), to)) === "accepted"),
          );
        }
        expect(states).toEqual([...taskStatuses]);
      }),
    );
  });
});

describe("who may", () => {
  test("only the holder and those who direct change a held task; a wrong fencing number changes nothing", () => {
    fc.assert(
      fc.property(anyTask, fc.nat(3), fc.option(fc.nat(3)), (task, fence, given) => {
        const held = { ...task, fence };
        const wrong = given !== null && given !== fence;
        const as = (principal: Principal) => thrown(() => rules.checkMayChange(held, principal, given ?? undefined));
        expect(as(lead)).toBe(wrong ? "CONFLICT" : "accepted");
        expect(as(agent("a"))).toBe(wrong ? "CONFLICT" : task.holder === "agent:b" ? "FORBIDDEN" : "accepted");
        const holds = thrown(() => rules.checkHolds(held, agent("a"), given ?? undefined));
        expect(holds).toBe(wrong ? "CONFLICT" : task.holder === "agent:a" ? "accepted" : "FORBIDDEN");
      }),
    );
    expect(
      thrown(() =>
        rules.checkMayChange(aTask({ holder: "agent:x", holderName: "a" }), { ...agent("a"), key: "agent:y" }),
      ),
    ).toBe("FORBIDDEN");
  });

  test("done needs finished parts and no live blocker, giving up needs neither", () => {
    const close = (change: Partial<Task>, outcome: (typeof outcomes)[number], blockers: string[] = []) =>
      thrown(() => rules.checkClose(aTask(change), outcome, blockers));
    expect([close({ openChildren: 1 }, "done"), close({}, "done", ["tw-2"]), close({}, "done")]).toEqual([
      "BLOCKED",
      "BLOCKED",
      "accepted",
    ]);
    for (const outcome of outcomes.slice(1)) expect(close({ openChildren: 2 }, outcome, ["tw-2"])).toBe("accepted");
  });
});

test("blocked time adds up and never runs backwards", () => {
  fc.assert(
    fc.property(fc.option(fc.nat()), fc.nat(), fc.nat(), (blockedSince, blockedMs, now) => {
      const change = rules.unblocked({ blockedSince, blockedMs }, now);
      if (blockedSince === null) expect(change).toEqual({});
      else
        expect(change).toMatchObject({
          blockedSince: null,
          blockedReason: null,
          blockedMs: blockedMs + Math.max(0, now - blockedSince),
        });
    }),
  );
});
