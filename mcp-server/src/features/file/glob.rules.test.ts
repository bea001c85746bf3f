import fc from "fast-check";
import picomatch from "picomatch";
import { describe, expect, test } from "vitest";
import { compareSpecificity, globCovers, globMatches, globsOverlap, normalGlob } from "./glob.rules.ts";

const name = fc.stringMatching(/^[ab.]{1,3}$/).filter((text) => text !== "." && !text.includes(".."));
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((steps) => steps.join("/"));

/** A glob that is made from a path by putting wildcards in, so that the two match. */
const globOf = (target: string): fc.Arbitrary<string> => {
  const steps = target.split("/").map((step) =>
    fc.oneof(
      fc.constant(step),
      fc.constant("*"),
      fc.constant("**"),
      fc.constant(step.replace(/^./, "?")),
      fc.constant(`${step.slice(0, 1)}*`),
      fc.constant(`*${step.slice(-1)}`),
      fc.constant(`[ab.]${step.slice(1)}`),
      name.map((other) => `{${other},${step}}`),
    ),
  );
  return fc.tuple(...steps).chain((parts) =>
    fc.oneof(
      fc.constant(parts.join("/")),
      fc.nat(parts.length - 1).map((keep) => [...parts.slice(0, keep), "**"].join("/")),
      fc.nat(parts.length - 1).map((from) => ["**", ...parts.slice(from)].join("/")),
    ),
  );
};
const anyGlob = path.chain(globOf);

describe("what a glob stands for", () => {
  test.each([
    ["src/*.ts", "src/a.ts", true],
    ["src/*.ts", "src/deep/a.ts", false],
    ["src/**/*.ts", "src/a.ts", true],
    ["src/**", "src/.hidden/x", true],
    ["src/", "src/a/b", true],
    ["./src//a/", "src/a/b", true],
    ["src/parser", "src/parser/lex.ts", true],
    ["src/parser", "src/parser.ts", false],
    ["**/.env", ".env", true],
    ["**/.env", "packages/web/.env", true],
    ["app/[id]/page.tsx", "app/[id]/page.tsx", true],
    ["app/(shop)/*", "app/(shop)/cart.tsx", true],
    ["src/{api,web}/*.ts", "src/web/a.ts", true],
    ["src/{a/b,c}/x", "src/a/b/x", true],
    ["src/{a}.ts", "src/{a}.ts", true],
    ["SRC/App.ts", "src/app.TS", true],
    ["caf\u00e9/*", "cafe\u0301/menu", true],
    [".", "anything/at/all", true],
    ["a+b/@x/!y", "a+b/@x/!y", true],
  ])("%s has %s: %s", (glob, file, expected) => {
    expect(globMatches(glob, file)).toBe(expected);
  });

  test("is what picomatch says, for the wildcards we know", () => {
    fc.assert(
      fc.property(anyGlob, path, (glob, file) => {
        const options = { dot: true, windows: false };
        // it takes `a/**` for the folder itself, too, and `*/**` not; for us nothing but what is below
        fc.pre(!glob.endsWith("/**") || !picomatch(glob.slice(0, -"/**".length), options)(file));
        const said = picomatch(glob, options)(file);
        const below = file.startsWith(`${glob}/`) || file === glob;
        expect(globMatches(glob, file)).toBe(said || below);
      }),
      { numRuns: 3000 },
    );
  });

  test("a glob made to take long is answered at once", () => {
    const begun = performance.now();
    expect(globMatches(`${"*a".repeat(200)}b`, "a".repeat(400))).toBe(false);
    expect(globsOverlap(`${"*a".repeat(200)}b`, `${"a*".repeat(200)}c`)).toBe(true);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe("overlap", () => {
  test("is never denied to globs that have a path in common (C-13)", () => {
    const both = path.chain((file) => fc.tuple(fc.constant(file), globOf(file), globOf(file)));
    fc.assert(
      fc.property(both, ([file, a, b]) => {
        fc.pre(globMatches(a, file) && globMatches(b, file));
        expect(globsOverlap(a, b)).toBe(true);
        expect(globsOverlap(b, a)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test("any two globs with a common path among many overlap", () => {
    fc.assert(
      fc.property(anyGlob, anyGlob, fc.array(path, { minLength: 20, maxLength: 20 }), (a, b, files) => {
        if (files.some((file) => globMatches(a, file) && globMatches(b, file))) expect(globsOverlap(a, b)).toBe(true);
      }),
    );
  });

  test.each([
    ["src/*.ts", "src/*.css", false],
    ["src/a/**", "src/b/**", false],
    ["src/**/*.ts", "src/**/*.test.ts", true],
    ["docs/*", "docs/deep/*", false],
    ["src", "src/deep/x.ts", true],
    ["**/x.ts", "src/**", true],
    ["a?c", "abd", false],
    ["{a,b}/x", "c/x", false],
  ])("of %s and %s: %s", (a, b, expected) => {
    expect(globsOverlap(a, b)).toBe(expected);
  });
});

describe("order", () => {
  test.each([
    ["src/api/**", "src/**"],
    ["reports/prd/x.md", "reports/*"],
    ["src/**/*.test.ts", "src/**"],
    ["src", "**"],
  ])("%s says more than %s (FO-06)", (more, less) => {
    expect(compareSpecificity(more, less)).toBeGreaterThan(0);
    expect(compareSpecificity(less, more)).toBeLessThan(0);
  });

  test("covering is only said where each path of the inner glob is in the outer", () => {
    fc.assert(
      fc.property(anyGlob, anyGlob, path, (outer, inner, file) => {
        const isFolderLike = globMatches(inner, file) && !globMatches(outer, file);
        // a name with an ending is taken for a file, which the generated names do not know
        if (isFolderLike && !/\./.test(inner)) expect(globCovers(outer, inner)).toBe(false);
      }),
      { numRuns: 2000 },
    );
    expect(globCovers("src/**", "src/api/*.ts")).toBe(true);
    expect(globCovers("src/*.ts", "src/a.ts")).toBe(true);
    expect(globCovers("src/*", "src/deep")).toBe(false);
  });

  test("a normal glob is its own normal form", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(normalGlob(normalGlob(text))).toBe(normalGlob(text));
      }),
    );
  });
});
