import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requirements } from "./requirements.ts";

const root = join(import.meta.dirname, "..");
const families = new Set(requirements.map(({ id }) => id.slice(0, id.indexOf("-"))));

/** Ids named in tests, with the files that name them. */
function citations(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const folder of ["mcp-server/src", "tests"]) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(test|e2e)\.ts$/.test(entry.name) || entry.name === "requirements.test.ts") continue;
      const path = join(entry.parentPath, entry.name);
      if (path.includes("node_modules")) continue;
      for (const [id, family] of readFileSync(path, "utf8").matchAll(/\b([A-Z]{1,2})-\d{2}[a-z]?\b/g)) {
        if (family !== undefined && families.has(family)) found.set(id, [...(found.get(id) ?? []), entry.name]);
      }
    }
  }
  return found;
}

test("ids are unique and each says its behaviour in a line", () => {
  expect(new Set(requirements.map(({ id }) => id)).size).toBe(requirements.length);
  for (const { behaviour } of requirements) expect(behaviour).toMatch(/^.{10,120}\.$/);
});

test("every requirement in force is cited by a test, and every cited id exists", () => {
  const cited = citations();
  const known = new Set(requirements.map(({ id }) => id));
  expect([...cited].filter(([id]) => !known.has(id))).toEqual([]);
  const uncited = requirements
    .filter(({ id, later }) => !later && !cited.has(id))
    .map(({ id, behaviour }) => `${id} ${behaviour}`);
  expect(uncited).toEqual([]);
  const open = requirements.filter(({ id, later }) => later && !cited.has(id));
  console.log(
    `${requirements.length - open.length} of ${requirements.length} requirements are covered; not yet: ${open.map(({ id }) => id).join(" ")}`,
  );
});
