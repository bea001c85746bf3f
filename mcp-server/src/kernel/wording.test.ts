import { expect, test } from "vitest";
import * as z from "zod";
import { wordingOf } from "./wording.ts";

test("what is wrong with a value is said without the words of a program (TC-09)", () => {
  const said = (schema: z.ZodType, value: unknown) =>
    schema.safeParse(value, { error: wordingOf }).error?.issues.map(({ message }) => message);
  expect(said(z.string(), undefined)).toEqual(["is missing"]);
  expect(said(z.string(), 3)).toEqual(["must be a text, not 3"]);
  expect(said(z.array(z.string()), { a: 1 })).toEqual(["must be a list, not keys with values"]);
  expect(said(z.number().int().min(1), 1.5)).toEqual(["must be a whole number, not 1.5"]);
  expect(said(z.number().int(), "2")).toEqual(['must be a whole number, not "2"']);
  expect(said(z.number().positive(), 0)).toEqual(["must be more than 0"]);
  expect(said(z.boolean(), "yes")).toEqual(['must be true or false, not "yes"']);
  expect(said(z.enum(["a", "b", "c"]), "d".repeat(60))).toEqual([`must be a, b or c, not "${"d".repeat(39)}…"`]);
  expect(said(z.enum(["a", "b"]), undefined)).toEqual(["is missing; must be a or b"]);
  expect(said(z.string().min(1), "")).toEqual(["must not be empty"]);
  expect(said(z.string().max(2), "abc")).toEqual(["must have at most 2 characters"]);
  expect(said(z.array(z.int()).min(2), [1])).toEqual(["must have at least 2 entries"]);
  expect(said(z.number().max(1, "a share is at most 1"), 2)).toEqual(["a share is at most 1"]); // its own word goes first
});
