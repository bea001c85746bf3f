/** Arguments for any operation, derived from its own zod schema, and what a hostile or confused caller makes of them. */
import fc from "fast-check";
import type * as z from "zod";

/** Stands for the id of a task that exists when the call is made; see `fillIn`. */
const ID_MARK = "\u0001id:";

const nasty = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "x\udfff",
  "\u202eevil",
  "\r\n",
  "\t",
  "💥",
  "é".normalize("NFD"),
  "'; drop table task; --",
  '" or 1=1 --',
  "%",
  "_",
  "*",
  '"',
  "\\",
  "$1",
  "?",
  "task_search match",
  "NEAR(",
  "a AND OR",
  "-x",
  "C++",
  "../../../etc/passwd",
  "/dev/null",
  "C:\\",
  "file:///",
  "{{x}}",
  "$" + "{x}",
  "<script>",
  "</stored-text>",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "NaN",
  "-1",
  "1e999",
  "tw-",
  "tw-00000000",
  "alpha",
  "beta",
  "gamma",
  "now",
  "indefinitely",
  "9999-12-31T23:59:59Z",
  "-271821-04-20",
  "1970",
];

export const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "Write the parser",
      "Read the log",
      "bug",
      "task",
      "epic",
      "feature",
      "src/**/*.ts",
      "src/a.ts",
      "ui",
      "core",
      "blocks",
      "ada",
      "bea",
    ),
  },
  { weight: 3, arbitrary: fc.constantFrom(...nasty) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
);
const id = fc.nat(1_000_000).map((n) => `${ID_MARK}${n}`);
const instant = fc.constantFrom(
  "2026-11-02T09:00:00Z",
  "2026-12-24",
  "2020-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "+275760-09-13",
);

/** Values the schema takes, or nearly: refinements are not looked at, so some are refused. */
export function anyOf(schema: z.core.$ZodType, name = ""): fc.Arbitrary<unknown> {
  const def = schema._zod.def as unknown as Record<string, unknown> & { type: string };
  switch (def.type) {
    case "optional":
    case "default":
    case "nullable":
    case "readonly":
    case "pipe":
      return anyOf((def.innerType ?? def.in) as z.core.$ZodType, name);
    case "object":
      return objectOf(schema as z.ZodObject);
    case "array":
      return fc.array(anyOf(def.element as z.core.$ZodType, name), { maxLength: 4 });
    case "union":
      return fc.oneof(...(def.options as z.core.$ZodType[]).map((option) => anyOf(option, name)));
    case "enum":
      return fc.constantFrom(...Object.values(def.entries as Record<string, string>));
    case "literal":
      return fc.constantFrom(...(def.values as unknown[]));
    case "boolean":
      return fc.boolean();
    case "number":
      return fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 0, max: 6 }) },
        { weight: 1, arbitrary: fc.constantFrom(-1, 1e9, 2 ** 53, 0.5) },
      );
    case "record":
      return fc.dictionary(fc.constantFrom("a", "b"), fc.constant("x"));
    case "string":
      return stringFor(name);
    default:
      return text;
  }
}

function stringFor(name: string): fc.Arbitrary<string> {
  if (/^(id|target|parent|of|task|needed_task|blocked_by|ref)$/.test(name))
    return fc.oneof({ weight: 6, arbitrary: id }, { weight: 1, arbitrary: text });
  if (/_(until|at|before|after|since)$/.test(name))
    return fc.oneof({ weight: 3, arbitrary: instant }, { weight: 1, arbitrary: text });
  if (/team$/.test(name))
    return fc.oneof({ weight: 6, arbitrary: fc.constantFrom("alpha", "beta") }, { weight: 1, arbitrary: text });
  if (name === "kind") return fc.constantFrom("task", "bug", "epic", "story", "chore", "Bad Kind");
  if (name === "type")
    return fc.constantFrom(
      "blocks",
      "parent-child",
      "conditional-blocks",
      "waits-for",
      "related",
      "duplicates",
      "own-type",
      "Bad Type",
    );
  return text;
}

function objectOf(schema: z.ZodObject): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(schema.shape).map(([name, member]) => {
    const optional = (member as z.core.$ZodType)._zod.def.type === "optional";
    const value = anyOf(member as z.core.$ZodType, name);
    // few members at once, or nearly every call would be refused for one of them
    return fc
      .option(value, { nil: undefined, freq: optional ? 1 : 60 })
      .chain((made) =>
        optional ? fc.integer({ min: 0, max: 4 }).map((n) => (n === 0 ? made : undefined)) : fc.constant(made),
      )
      .map((made) => [name, made] as const);
  });
  return fc.tuple(...entries).map((pairs) => Object.fromEntries(pairs.filter(([, value]) => value !== undefined)));
}

const deep = fc.integer({ min: 50, max: 2000 }).map((depth) => {
  let value: unknown = "bottom";
  for (let n = 0; n < depth; n += 1) value = n % 2 ? [value] : { a: value };
  return value;
});
const wrong = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 60,
    [],
    {},
    [[]],
    "x".repeat(300_000),
    "é".repeat(501),
    "\ud83d",
  ),
  fc.constant(JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as unknown),
  deep,
  text,
);

/** The arguments with one thing wrong: a value, a surplus name, a dangerous name, or the whole. */
export function mutated(input: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .tuple(input, wrong, fc.nat(1000), fc.constantFrom("value", "surplus", "prototype", "actor", "key"))
    .map(([made, value, n, kind]) => {
      const names = Object.keys(made);
      if (kind === "surplus") return { ...made, [`${names[n % Math.max(1, names.length)] ?? "titel"}x`]: value };
      if (kind === "prototype") return Object.defineProperty({ ...made }, "__proto__", { value, enumerable: true });
      if (kind === "actor") return { ...made, actor: "lead", agent_id: "human:pat", holder: "ada", by: value };
      if (kind === "key") return { ...made, idempotency_key: value };
      return names.length === 0 ? { x: value } : { ...made, [names[n % names.length] ?? "x"]: value };
    });
}

/** Puts existing ids where the marks are. */
export function fillIn(value: unknown, ids: readonly string[]): unknown {
  if (typeof value === "string" && value.startsWith(ID_MARK)) {
    const n = Number(value.slice(ID_MARK.length));
    const chosen = ids.length === 0 ? "tw-none" : (ids[n % ids.length] ?? "tw-none");
    return n % 11 === 0 ? chosen.slice(0, -2) : chosen;
  }
  if (Array.isArray(value)) return value.map((member) => fillIn(member, ids));
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    const filled = {};
    for (const [name, member] of Object.entries(value)) {
      Object.defineProperty(filled, name, {
        value: fillIn(member, ids),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return filled;
  }
  return value;
}
