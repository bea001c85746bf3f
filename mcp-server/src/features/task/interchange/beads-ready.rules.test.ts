import fc from "fast-check";
import { expect, test } from "vitest";
import type { BeadsDependency, BeadsIssue } from "./beads-issue.schema.ts";
import { beadsReadiness } from "./beads-ready.rules.ts";
import { readStatus } from "./beads-status.rules.ts";

const NOW = Date.UTC(2026, 10, 1);

function anIssue(id: string, over: Partial<BeadsIssue> & { word?: string } = {}, ...edges: string[]): BeadsIssue {
  const { word, ...rest } = over;
  return {
    id,
    title: id,
    status: readStatus(word, undefined, false),
    priority: 2,
    kind: "task",
    createdAt: 0,
    updatedAt: 0,
    own: {},
    labels: [],
    comments: [],
    pinned: false,
    ephemeral: false,
    noHistory: false,
    template: false,
    dependencies: edges.map(edge),
    ...rest,
  };
}

function edge(text: string): BeadsDependency {
  const [type = "", target = ""] = text.split(" ");
  return { type, target };
}

function split(...issues: BeadsIssue[]): string {
  const { ready, blocked } = beadsReadiness(issues, NOW);
  return `${ready.join(",")} | ${blocked.join(",")}`;
}

test("an open blocker blocks, whatever open status it has; closed and pinned ones do not", () => {
  for (const word of ["in_progress", "hooked", "deferred", "blocked", "triage"])
    expect(split(anIssue("a", { word }), anIssue("b", {}, "blocks a"))).toBe(" | b");
  for (const word of ["closed", "pinned", "done"])
    expect(split(anIssue("a", { word }), anIssue("b", {}, "blocks a"))).toBe("b | ");
});

test("conditional-blocks behaves as blocks", () => {
  expect(split(anIssue("a"), anIssue("b", {}, "conditional-blocks a"))).toBe("a | b");
});

test("other types, missing and external targets never block", () => {
  const types = ["related", "discovered-from", "blocked-by", "tracks", "until"];
  expect(
    split(anIssue("a"), anIssue("b", {}, ...types.map((type) => `${type} a`), "blocks gone", "blocks external:x:y")),
  ).toBe("a,b | ");
});

test("an open parent blocks nobody, a blocked one its whole tree", () => {
  const tree = [anIssue("p.1", {}, "parent-child p"), anIssue("p.1.1", {}, "parent-child p.1")];
  expect(split(anIssue("p"), ...tree)).toBe("p,p.1,p.1.1 | ");
  expect(split(anIssue("x"), anIssue("p", {}, "blocks x"), ...tree)).toBe("x | p,p.1,p.1.1");
});

test("a closed parent passes no block on", () => {
  expect(split(anIssue("x"), anIssue("p", { word: "closed" }, "blocks x"), anIssue("c", {}, "parent-child p"))).toBe(
    "c,x | ",
  );
});

test("chain: closing the first frees only the second", () => {
  const rest = [anIssue("b", {}, "blocks a"), anIssue("c", {}, "blocks b")];
  expect(split(anIssue("a"), ...rest)).toBe("a | b,c");
  expect(split(anIssue("a", { word: "closed" }), ...rest)).toBe("b | c");
});

test("waits-for waits for the children of its target; any-children for one closed one; no children is an open gate", () => {
  const waiter = (metadata?: BeadsDependency["metadata"]) =>
    anIssue("w", {
      dependencies: [{ type: "waits-for", target: "s", ...(metadata === undefined ? {} : { metadata }) }],
    });
  const open = anIssue("s.1", { word: "in_progress" }, "parent-child s");
  const closed = anIssue("s.2", { word: "closed" }, "parent-child s");
  const spawner = anIssue("s", { word: "in_progress" });
  expect(split(spawner, waiter())).toBe("w | ");
  expect(split(spawner, open, closed, waiter())).toBe(" | w");
  expect(split(spawner, open, waiter({ gate: "any-children" }))).toBe(" | w");
  expect(split(spawner, open, closed, waiter({ gate: "any-children" }))).toBe("w | ");
  expect(split(spawner, waiter({ also_blocks: true }))).toBe(" | w");
});

test("only status open is ready; blocked is a stored word and no computed block", () => {
  const words = ["in_progress", "blocked", "deferred", "closed", "pinned", "hooked", "triage", "in_review"];
  expect(split(...words.map((word) => anIssue(word, { word })))).toBe(" | ");
});

test("pinned, ephemeral, deferred and infrastructure issues are hidden; no_history is not", () => {
  const kinds = ["merge-request", "gate", "molecule", "rig", "agent", "role", "message"];
  expect(
    split(
      anIssue("pinned", { pinned: true }),
      anIssue("wisp", { ephemeral: true }),
      anIssue("later", { deferUntil: NOW + 1 }),
      ...kinds.map((kind) => anIssue(kind, { kind })),
      anIssue("due", { deferUntil: NOW }),
      anIssue("epic", { kind: "epic" }),
      anIssue("plain", { noHistory: true }),
    ),
  ).toBe("due,epic,plain | ");
});

test("children of a deferred parent are hidden, grandchildren leak", () => {
  expect(
    split(
      anIssue("p", { deferUntil: NOW + 1 }),
      anIssue("c", {}, "parent-child p"),
      anIssue("g", {}, "parent-child c"),
    ),
  ).toBe("g | ");
});

test("a dotted id without an edge is no child", () => {
  expect(split(anIssue("x"), anIssue("p", {}, "blocks x"), anIssue("p.1"))).toBe("p.1,x | p");
});

test("order is priority, created ascending, id; blocked newest first", () => {
  const { ready } = beadsReadiness(
    [
      anIssue("d", { createdAt: 5 }),
      anIssue("c", { createdAt: 5 }),
      anIssue("b", { createdAt: 1 }),
      anIssue("a", { priority: 0, createdAt: 9 }),
    ],
    NOW,
  );
  expect(ready).toEqual(["a", "b", "c", "d"]);
  const { blocked } = beadsReadiness(
    [anIssue("x"), anIssue("a", { createdAt: 1 }, "blocks x"), anIssue("b", { createdAt: 2 }, "blocks x")],
    NOW,
  );
  expect(blocked).toEqual(["b", "a"]);
});

const names = ["a", "b", "c", "d", "e", "f"];
const someIssue = fc.record({
  word: fc.constantFrom("open", "closed", "pinned", "in_progress"),
  edges: fc.array(
    fc.record({
      type: fc.constantFrom("blocks", "parent-child", "waits-for", "related"),
      target: fc.constantFrom(...names, "gone"),
    }),
    { maxLength: 3 },
  ),
});

/** The definition of beads-compat §1.5 as written, iterated until nothing changes. */
function oracle(issues: BeadsIssue[]): Set<string> {
  const find = (id: string) => issues.find((issue) => issue.id === id);
  const settled = (issue: BeadsIssue) => issue.status.state === "closed" || issue.status.foreignStatus === "pinned";
  const blocked = new Set<string>();
  for (let before = -1; before !== blocked.size; ) {
    before = blocked.size;
    for (const issue of issues) {
      if (settled(issue)) continue;
      for (const { type, target } of issue.dependencies) {
        const other = find(target);
        if (other === undefined) continue;
        const isOpenChild = (child: BeadsIssue) =>
          !settled(child) && child.dependencies.some((e) => e.type === "parent-child" && e.target === target);
        if (type === "blocks" && !settled(other)) blocked.add(issue.id);
        if (type === "parent-child" && blocked.has(target)) blocked.add(issue.id);
        if (type === "waits-for" && issues.some(isOpenChild)) blocked.add(issue.id);
      }
    }
  }
  return blocked;
}

test("agrees with the definition on any graph, cycles included; nothing is both ready and blocked", () => {
  fc.assert(
    fc.property(fc.array(someIssue, { maxLength: 6 }), (specs) => {
      const issues = specs.map(({ word, edges }, index) => anIssue(names[index] ?? "", { word, dependencies: edges }));
      const { ready, blocked } = beadsReadiness(issues, NOW);
      expect(new Set(blocked)).toEqual(oracle(issues));
      expect(ready.filter((id) => blocked.includes(id))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("a chain of parents as long as the file takes no recursion", () => {
  const chain = Array.from({ length: 50_000 }, (_, n) =>
    anIssue(`n${n}`, {}, n === 0 ? "blocks x" : `parent-child n${n - 1}`),
  );
  expect(beadsReadiness([anIssue("x"), ...chain], NOW).blocked).toHaveLength(50_000);
});
