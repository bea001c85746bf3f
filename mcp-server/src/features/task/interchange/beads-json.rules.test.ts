import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonValue } from "./beads-issue.schema.ts";
import { canonicalJson, findJson, jsonDepth, jsonSpans, patchArray, patchObject, quote } from "./beads-json.rules.ts";

test("setting one member leaves lexemes, escapes, spacing and order of the others", () => {
  const text = '{ "a" : 1.0, "b": 1e3 ,"c":"\\u003c/","d":{"x" : [1 , 2]} }';
  expect(patchObject(text, new Map([["b", "2"]]))).toBe('{ "a" : 1.0, "b": 2 ,"c":"\\u003c/","d":{"x" : [1 , 2]} }');
});

test("removing the first, a middle and the last member keeps valid JSON", () => {
  const text = '{"a":1,"b":2,"c":3}';
  expect(patchObject(text, new Map([["a", undefined]]))).toBe('{"b":2,"c":3}');
  expect(patchObject(text, new Map([["b", undefined]]))).toBe('{"a":1,"c":3}');
  expect(patchObject(text, new Map([["c", undefined]]))).toBe('{"a":1,"b":2}');
});

test("a new member goes where the order says, an unranked one last", () => {
  const order = ["a", "b", "c"];
  expect(patchObject('{"a":1,"c":3}', new Map([["b", "2"]]), order)).toBe('{"a":1,"b":2,"c":3}');
  expect(patchObject('{"a":1,"c":3}', new Map([["z", "9"]]), order)).toBe('{"a":1,"c":3,"z":9}');
  expect(patchObject("{ }", new Map([["z", "9"]]))).toBe('{"z":9 }');
});

test("of repeated keys the one that readers see is set and the others go", () => {
  expect(patchObject('{"a":1,"a":2}', new Map([["a", "3"]]))).toBe('{"a":3}');
});

test("array elements keep their bytes", () => {
  expect(patchArray('[ {"n":1.0}, 2 ]', (element) => (element === "2" ? undefined : element), ['"x"'])).toBe(
    '[ {"n":1.0}, "x" ]',
  );
  expect(patchArray("[]", (element) => element, ["1", "2"])).toBe("[1,2]");
});

test("quote escapes as Go does and can be told not to", () => {
  expect(quote("a<b>&\u2028")).toBe('"a\\u003cb\\u003e\\u0026\\u2028"');
  expect(quote("a<b", true)).toBe('"a<b"');
});

const json = fc.jsonValue() as fc.Arbitrary<JsonValue>;

test("spans cover any JSON and a patch changes exactly what it names", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), json, { noNullPrototype: true }),
      fc.string(),
      json,
      (record, key, value) => {
        const text = JSON.stringify(record, null, 1);
        expect(jsonSpans(text).map((span) => span.key)).toEqual(Object.keys(JSON.parse(text)));
        const patched = JSON.parse(patchObject(text, new Map([[key, JSON.stringify(value)]])));
        const expected = JSON.parse(text);
        Object.defineProperty(expected, key, {
          value: JSON.parse(JSON.stringify(value)),
          enumerable: true,
          configurable: true,
          writable: true,
        });
        expect(canonicalJson(patched)).toBe(canonicalJson(expected));
        const removed = JSON.parse(patchObject(text, new Map([[key, undefined]])));
        expect(Object.hasOwn(removed, key)).toBe(false);
      },
    ),
  );
});

test("depth is measured without recursion and bounds what is read", () => {
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  expect(jsonDepth(deep)).toBe(50_000);
  expect(jsonDepth('{"a":"[[[["}')).toBe(1);
  expect(findJson(deep)).toBeUndefined();
});
