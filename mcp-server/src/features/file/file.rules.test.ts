import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OwnershipEntry } from "../../config/ownership.schema.ts";
import { diffFindings } from "./diff.rules.ts";
import {
  type Lease,
  leaseInTheWay,
  leaseObstacle,
  ownerOf,
  owns,
  protectionOf,
  watchMode,
  writeObstacle,
} from "./file.rules.ts";
import { globMatches } from "./glob.rules.ts";

const names = ["ada", "bob", "builder", "team:core", "*"];
const glob = fc.constantFrom(
  "**",
  "src/**",
  "src/*.ts",
  "src/a.ts",
  "src/a",
  "src/a/**",
  "**/*.ts",
  "{src,lib}/a*",
  "lib",
  "src/[ab].ts",
);
const path = fc.constantFrom("src/a.ts", "src/a/x.ts", "src/b.ts", "lib/a", "lib/z.ts", "c.ts", "src/deep/d");
const entry: fc.Arbitrary<OwnershipEntry> = fc.record({
  paths: fc.array(glob, { minLength: 1, maxLength: 3 }),
  owner: fc.constantFrom(...names),
});
const map = fc.array(entry, { maxLength: 6 });
const who = fc.record({
  key: fc.constantFrom("agent:1", "agent:2"),
  name: fc.constantFrom("ada", "bob"),
  role: fc.constantFrom("builder", "tester"),
  team: fc.constantFrom("core", undefined),
});
const lease: fc.Arbitrary<Lease> = fc.record({
  taskId: fc.nat(3),
  task: fc.constant("tw-1"),
  holder: fc.constantFrom("agent:1", "agent:2"),
  holderName: fc.constant("ada"),
  glob,
});

describe("who owns a path", () => {
  const entries: OwnershipEntry[] = [
    { paths: ["**"], owner: "lead" },
    { paths: ["reports/*"], owner: "team:core" },
    { paths: ["reports/prd/**"], owner: "ada" },
    { paths: ["src/__init__.py"], owner: "*" },
    { paths: ["src/*.py"], owner: "builder" },
    { paths: ["same/**"], owner: "ada" },
    { paths: ["same/**"], owner: "bob" },
  ];

  test.each([
    ["README.md", "lead"],
    ["reports/a.md", "team:core"],
    ["reports/prd/a.md", "ada"],
    ["src/__init__.py", "*"], // FO-02: a file that every builder may touch
    ["src/x.py", "builder"],
    ["same/x", "bob"],
  ])("%s is %s's (FO-02, FO-06)", (file, owner) => {
    expect(ownerOf(entries, file)?.owner).toBe(owner);
  });

  test("an owner is a name, a role, a team or everybody", () => {
    const ada = { name: "ada", role: "builder", team: "core" };
    expect(["ada", "builder", "team:core", "*", "bob", "team:ada", "core", ""].filter((one) => owns(one, ada))).toEqual(
      ["ada", "builder", "team:core", "*"],
    );
    expect(owns("team:undefined", { name: "x" })).toBe(false);
  });

  test.each([
    [".env", ".env.production", "web/.env", "teamwright.yaml", ".git/hooks/pre-commit", "sub/.git/config", ".git"],
    [".teamwright/state.db", ".Env", "TEAMWRIGHT.yaml", "keep/.env.example", ".env.example.local"],
  ])("%s and others are protected (FO-03)", (...files) => {
    for (const file of files) expect(protectionOf(["keep/**"], file), file).toBeDefined();
    for (const file of [".env.example", "web/.env.sample", "environment", ".gitignore", "docs/teamwright.yaml"])
      expect(protectionOf(["keep/**"], file), file).toBeUndefined();
  });
});

describe("who may write (FO-01, FO-06)", () => {
  test("protected before lease before ownership before free, whatever is declared", () => {
    fc.assert(
      fc.property(path, who, map, fc.array(glob, { maxLength: 2 }), fc.array(lease, { maxLength: 3 }), (...facts) => {
        const [file, writer, entries, protectedGlobs, leases] = facts;
        const found = writeObstacle({ path: file, who: writer, map: entries, protectedGlobs, leases });
        const matching = leases.filter((one) => globMatches(one.glob, file));
        const owned = ownerOf(entries, file);
        if (protectedGlobs.some((one) => globMatches(one, file))) expect(found?.kind).toBe("protected");
        else if (matching.some((one) => one.holder === writer.key)) expect(found).toBeUndefined();
        else if (matching.length > 0) expect(found?.kind).toBe("leased");
        else if (owned && !owns(owned.owner, writer)) expect(found).toEqual({ kind: "owned", owned });
        else expect(found).toBeUndefined();
      }),
    );
  });

  test("a lease that may be asked for reaches no path of another (C-13)", () => {
    fc.assert(
      fc.property(map, glob, who, path, (entries, asked, writer, file) => {
        // a name without an ending is a folder's, and what is below it counts; one with an ending is a file
        if (leaseObstacle(entries, asked, writer) !== undefined || !globMatches(asked, file)) return;
        const owned = ownerOf(entries, file);
        expect(owned === undefined || owns(owned.owner, writer)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test("leases that are granted one after the other never meet, but for their own holder's (C-13)", () => {
    const request = fc.record({ holder: fc.constantFrom("agent:1", "agent:2", "agent:3"), glob });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 12 }), path, (requests, file) => {
        const granted: Lease[] = [];
        for (const { holder, glob: asked } of requests)
          if (!leaseInTheWay(granted, asked, holder))
            granted.push({ taskId: 1, task: "tw-1", holder, holderName: "x", glob: asked });
        const holders = new Set(granted.filter((one) => globMatches(one.glob, file)).map((one) => one.holder));
        expect(holders.size).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2000 },
    );
  });
});

test("files are watched where somebody asked for it", () => {
  const nothing = { ownership: [], protected: [] };
  const declared = { ...nothing, ownership: [{ paths: ["**"], owner: "ada" }] };
  expect(watchMode(nothing, false)).toBeUndefined();
  expect(watchMode(nothing, true)).toBe("strict");
  expect(watchMode(declared, false)).toBe("strict");
  expect(watchMode({ ...nothing, protected: ["x"] }, false)).toBe("strict");
  expect(watchMode({ ...nothing, ownership_mode: "warn" }, false)).toBe("warn");
  expect(watchMode({ ...declared, ownership_mode: "off" }, false)).toBeUndefined();
  expect(watchMode({ ...declared, protected: ["x"], ownership_mode: "off" }, false)).toBe("off");
});

test("a diff has one finding per file, the gravest first (FO-05)", () => {
  const files = ["src/a.ts", "src/b.ts", "other.md", ".env", "docs/x", "ok/.env"].map((file) => ({
    path: file,
    status: "M",
  }));
  const facts = {
    files,
    map: [{ paths: ["src/**"], owner: "ada" }],
    protectedGlobs: [],
    leases: [{ taskId: 1, task: "tw-1", holder: "agent:9", holderName: "eve", glob: "src/b.ts" }],
    allowed: ["ok/**"],
    level: "error" as const,
  };
  const rules = (more: object) => diffFindings({ ...facts, ...more }).map((one) => `${one.path} ${one.rule}`);
  expect(rules({})).toEqual([".env protected"]);
  const bob = { key: "agent:2", name: "bob" };
  expect(rules({ who: bob })).toEqual(["src/a.ts owned", "src/b.ts leased", ".env protected"]);
  expect(rules({ who: bob, scope: ["src/**"] })).toEqual([
    "src/a.ts owned",
    "src/b.ts leased",
    "other.md out-of-scope",
    ".env protected",
    "docs/x out-of-scope",
  ]);
  expect(rules({ who: bob, level: "off" })).toEqual([".env protected"]);
  expect(rules({ who: { key: "agent:9", name: "eve" } })).toEqual(["src/a.ts owned", ".env protected"]);
});
