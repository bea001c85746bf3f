/** The schema that editors have says what the loader says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ajvModule from "ajv";
import formatsModule from "ajv-formats";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { configSchema } from "../mcp-server/src/config/config.schema.ts";

const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../schemas/teamwright.schema.json"), "utf8"));
const ajv = new ajvModule.default({ strict: false, logger: false });
formatsModule.default(ajv);
const isValid = ajv.compile(schema);

type Step = string | number;
const longest = [64, 65, 129, 501, 5000].map((length) => "x".repeat(length));
const faces = [33, 64, 65, 128].map((length) => "😀".repeat(length));
const numbers = [-1, 0, 0.5, 1, 1.5, 2, 20, 51, 101, 200, 1001, 2401, 86_401, 2 ** 31, 1e16];
const words = [
  "",
  "a",
  "A",
  " ",
  "a b",
  "a:b",
  "a,b",
  "`a`",
  "*",
  "a\nb",
  "a\u202eb",
  "a\u0085b",
  "team:a",
  "on",
  "2026-10-24",
];
const paths = ["src/**", "../up", "a/..", "a..b/c", "/etc", "~/x", "C:/x", "!src", "a\\b"];
const urls = ["http://h/p", "https://h:1?q", "http://u:p@h/", "ftp://h", "http://", "javascript:1", "postgres://h"];
const others = [null, true, [], [""], ["a"], [1], [[]], [{}], {}, { a: 1 }, { a: {} }, { "a b": {} }, { "": {} }];
const values: readonly unknown[] = [...numbers, ...words, ...paths, ...urls, ...longest, ...faces, ...others];

/** Every place a value can stand at, lists by their first item and records by one name. */
function* placesIn(schema: z.core.$ZodType, path: readonly Step[] = []): Generator<readonly Step[]> {
  let inner = schema;
  while ("innerType" in inner._zod.def) inner = inner._zod.def.innerType as z.core.$ZodType;
  const def = inner._zod.def;
  yield path;
  if (def.type === "array") yield* placesIn((def as z.core.$ZodArrayDef).element, [...path, 0]);
  if (def.type === "object")
    for (const [name, member] of Object.entries((def as z.core.$ZodObjectDef).shape))
      yield* placesIn(member, [...path, name]);
  if (def.type === "record") {
    const { keyType, valueType } = def as z.core.$ZodRecordDef;
    yield* placesIn(valueType, [...path, String([...(keyType._zod.values ?? ["someone"])][0])]);
  }
}

/** What a list's item needs besides the value that is tried. */
const neededBeside: Readonly<Record<string, object>> = {
  teams: { id: "t" },
  gates: { name: "g", command: "true" },
  ownership: { paths: ["src"], owner: "ada" },
};

/** A file with nothing but the value at the path. */
function fileWith([step, ...rest]: readonly Step[], value: unknown, list = ""): unknown {
  if (step === undefined) return value;
  const inner = fileWith(rest, value, String(step));
  if (typeof step === "string") return { [step]: inner };
  const isItem = inner !== null && typeof inner === "object" && !Array.isArray(inner);
  return [isItem && rest.length > 0 ? { ...neededBeside[list], ...inner } : inner];
}

describe("schemas/teamwright.schema.json", () => {
  test("takes and refuses what the loader does, at every key (TC-01, TC-09)", () => {
    const differ: string[] = [];
    let tried = 0;
    let taken = 0;
    for (const path of placesIn(configSchema))
      for (const value of values) {
        const file = fileWith(path, value);
        const { success, error } = configSchema.safeParse(file);
        tried += 1;
        taken += success ? 1 : 0;
        if (success !== isValid(file))
          differ.push(`${path.join(".")} ${JSON.stringify(value)}: ${success ? "taken" : error?.issues[0]?.message}`);
      }
    expect(differ).toEqual([]);
    expect(tried).toBeGreaterThan(8000);
    expect(taken).toBeGreaterThan(1000);
  }, 120_000);

  test("counts teams, and tells coordinators that stand twice (TC-02, TC-06)", () => {
    const teams = (n: number) => ({ teams: Array.from({ length: n }, (_, index) => ({ id: `t${index}` })) });
    expect([7, 8].map((n) => isValid(teams(n)))).toEqual([true, false]);
    expect(isValid({ coordination: { coordinators: ["staff", "staff"] } })).toBe(false);
  });
});
