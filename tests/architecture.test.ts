import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const source = join(root, "mcp-server/src");

/** A slice's rules, schema, view and store may import those of the slices before it; operations those of any slice. */
const sliceOrder = [
  "event",
  "agent",
  "team",
  "report",
  "board",
  "dependency",
  "task",
  "run",
  "message",
  "escalation",
  "checkpoint",
  "file",
  "knowledge",
  "tag",
  "unit",
  "review",
  "bridge",
  "brief",
  "overhead",
  "sprint",
  "borrow",
  "portfolio",
  "coordination",
  "metrics",
  "experiment",
  "doctor",
];

const MAX_LINES = 300;
/** Tables of data may be longer. */
const longFiles: readonly string[] = [];

interface SourceFile {
  /** Relative to mcp-server/src, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files = readTree(source);
const production = files.filter((file) => !file.path.endsWith(".test.ts"));

function readTree(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => {
      const absolute = join(entry.parentPath, entry.name);
      const text = readFileSync(absolute, "utf8");
      return { path: slashes(relative(folder, absolute)), text, imports: importsOf(text, absolute, folder) };
    });
}

/** Packages by name, own files by their path under mcp-server/src. */
function importsOf(text: string, absolute: string, base: string): string[] {
  const specifiers = [
    ...text.matchAll(/(?:^import\s|^export\s[^;]*?\sfrom\s|^\}\s+from\s|\bimport\()[^;"']*["']([^"']+)["']/gm),
  ].map((match) => match[1] ?? "");
  return specifiers.map((name) =>
    name.startsWith(".") ? slashes(relative(base, join(dirname(absolute), name))) : name,
  );
}

function slashes(path: string): string {
  return path.replaceAll("\\", "/");
}

function slice(path: string): string | undefined {
  return /^features\/([^/]+)\//.exec(path)?.[1];
}

function layer(path: string): string {
  return /\.([a-z]+)\.ts$/.exec(path)?.[1] ?? "";
}

/** `file imports what` for every import that `isWrong` names. */
function wrongImports(
  among: readonly SourceFile[],
  isWrong: (file: SourceFile, imported: string) => boolean,
): string[] {
  return among.flatMap((file) =>
    file.imports.filter((imported) => isWrong(file, imported)).map((imported) => `${file.path} imports ${imported}`),
  );
}

describe("who may import what", () => {
  test("the reading of imports finds them at all", () => {
    expect(files.length).toBeGreaterThan(40);
    expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(200);
  });

  test("only store/ knows the database drivers and dialects", () => {
    const drivers = /^(better-sqlite3|pg|kysely\/.*)$/;
    expect(wrongImports(production, (file, name) => drivers.test(name) && !file.path.startsWith("store/"))).toEqual([]);
    expect(
      production
        .filter((file) => /\b(?:Sqlite|Postgres|PGlite)Dialect\b/.test(file.text) && !file.path.startsWith("store/"))
        .map((file) => file.path),
    ).toEqual([]);
  });

  test("only surfaces/mcp knows the MCP SDK", () => {
    expect(
      wrongImports(
        production,
        (file, name) => name.startsWith("@modelcontextprotocol/") && !file.path.startsWith("surfaces/mcp/"),
      ),
    ).toEqual([]);
  });

  test("SQL is written in stores only: rules, schemas and views import kysely for types at most", () => {
    const withoutSql = production.filter((file) => ["rules", "schema", "view"].includes(layer(file.path)));
    expect(
      withoutSql.filter((file) => /^import (?!type)[^;]*from "kysely"/m.test(file.text)).map((file) => file.path),
    ).toEqual([]);
  });

  test("SQL is written in stores and nowhere else", () => {
    const query = /\.(?:selectFrom|insertInto|updateTable|deleteFrom)\(|\bsql(?:<[^>]*>)?`/;
    const others = production.filter((file) => layer(file.path) !== "store" && !file.path.startsWith("store/"));
    expect(others.filter((file) => query.test(file.text)).map((file) => file.path)).toEqual([]);
  });

  test("rules are pure: they import rules, schemas, tables, the kernel and pure libraries", () => {
    const own = /\.(rules|schema|table)\.ts$|^kernel\//;
    const pureBuiltins = ["node:crypto", "node:util", "node:buffer", "node:path"];
    const isWrong = (_: SourceFile, name: string) => {
      if (name.startsWith("node:")) return !pureBuiltins.includes(name);
      return name.endsWith(".ts") ? !own.test(name) : name === "kysely";
    };
    expect(
      wrongImports(
        production.filter((file) => layer(file.path) === "rules"),
        isWrong,
      ),
    ).toEqual([]);
  });

  test("rules read no clock, no randomness and no environment", () => {
    const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandomBytes\(|\brandomUUID\(|\bprocess\./;
    expect(
      production.filter((file) => layer(file.path) === "rules" && impure.test(file.text)).map((file) => file.path),
    ).toEqual([]);
  });

  test("every slice has its place in the order", () => {
    const slices = new Set(production.map((file) => slice(file.path)).filter((name) => name !== undefined));
    expect([...slices].filter((name) => !sliceOrder.includes(name))).toEqual([]);
  });

  test("below operations a slice imports lower slices only", () => {
    const isWrong = (file: SourceFile, name: string) => {
      const [own, other] = [slice(file.path), slice(name)];
      if (own === undefined || other === undefined || ["operations", "guard"].includes(layer(file.path))) return false;
      return sliceOrder.indexOf(other) > sliceOrder.indexOf(own);
    };
    expect(wrongImports(production, isWrong)).toEqual([]);
  });

  test("guard rules are imported by their table alone", () => {
    expect(
      wrongImports(production, (file, name) => layer(name) === "guard" && file.path !== "surfaces/guard/rules.ts"),
    ).toEqual([]);
  });

  test("operations are imported by the table alone", () => {
    expect(
      wrongImports(production, (file, name) => layer(name) === "operations" && file.path !== "features/index.ts"),
    ).toEqual([]);
  });

  test("kernel, configuration and store know no feature but the shape of its tables, and no surface", () => {
    const isBelow = (file: SourceFile) => /^(kernel|config|store)\//.test(file.path);
    const isWrong = (file: SourceFile, name: string) => {
      if (name.startsWith("surfaces/")) return true;
      return name.startsWith("features/") && !(file.path.startsWith("store/") && layer(name) === "table");
    };
    expect(wrongImports(production.filter(isBelow), isWrong)).toEqual([]);
  });

  test("features know no surface", () => {
    expect(
      wrongImports(production, (file, name) => file.path.startsWith("features/") && name.startsWith("surfaces/")),
    ).toEqual([]);
  });

  test("the command line reaches features through the table", () => {
    const isProjection = (file: SourceFile) => /^surfaces\/cli\//.test(file.path);
    expect(
      wrongImports(
        production.filter(isProjection),
        (_, name) => name.startsWith("features/") && name !== "features/index.ts",
      ),
    ).toEqual([]);
  });

  test("production code imports no test", () => {
    expect(
      wrongImports(
        production,
        (_, name) => name.endsWith(".test.ts") || (name.startsWith("..") && name.includes("tests/")),
      ),
    ).toEqual([]);
  });
});

describe("what a server loads", () => {
  test("the answer to initialize needs no operation, no store and neither schema nor parser of the configuration", () => {
    const early = ["main.ts", "surfaces/mcp/serve.ts", "surfaces/mcp/serve-options.ts"].flatMap(loadedWith);
    const heavy =
      /^(features|surfaces\/cli|store\/sqlite|config\/(config\.load|.*\.schema))|^(yaml|kysely|better-sqlite3|pg|simple-git)$/;
    expect(early.filter((name) => heavy.test(name))).toEqual([]);
    expect(early).toContain("@modelcontextprotocol/server/stdio");
  });

  test("the operations come without what only commands run: experiments, their players and their page", () => {
    const served = [...loadedWith("features/index.ts"), ...loadedWith("surfaces/mcp/caller.ts")];
    const forCommands =
      /^features\/experiment\/(live\/(?!place)|runner|play|folder-run|compare-page|compare-read)|^surfaces\/cli\/|^(echarts|mdast-util-from-markdown|pg)$/;
    expect(served.filter((name) => forCommands.test(name))).toEqual([]);
    expect(served).toContain("features/task/task-show.operations.ts");
  });
});

/** Every module and package that is evaluated with this one; what is imported lazily, or for its types, is not. */
function loadedWith(entry: string): string[] {
  const found = new Set([entry]);
  for (const path of found) {
    const file = production.find((candidate) => candidate.path === path);
    for (const name of importsOf(file?.text.replaceAll(lazyOrType, "") ?? "", join(source, path), source))
      found.add(name);
  }
  return [...found];
}

const lazyOrType = /\bimport\([^)]*\)|^(?:import|export) type [^;]*;/gm;

describe("how files look", () => {
  test(`no file is longer than ${MAX_LINES} lines`, () => {
    const tooLong = files.filter((file) => !longFiles.includes(file.path) && lineCount(file.text) > MAX_LINES);
    expect(tooLong.map((file) => `${file.path}: ${lineCount(file.text)}`)).toEqual([]);
  });

  test("names are kebab-case with known suffixes", () => {
    const name = /^[a-z0-9]+(-[a-z0-9]+)*(\.(schema|rules|table|store|view|operations|guard|load))?(\.test)?\.ts$/;
    expect(files.filter((file) => !name.test(basename(file.path))).map((file) => file.path)).toEqual([]);
  });

  test("nothing is exported by default and nothing is a barrel", () => {
    expect(
      files.filter((file) => /^export default\b|^export \* from\b/m.test(file.text)).map((file) => file.path),
    ).toEqual([]);
  });

  test("only main.ts reads the arguments and the environment and ends the process", () => {
    const ends = /\bprocess\.(?:argv|exit\b|exitCode|env)/;
    expect(
      production
        .filter((file) => !["main.ts", "kernel/child-environment.ts"].includes(file.path) && ends.test(file.text))
        .map((file) => file.path),
    ).toEqual([]);
  });

  test("relative imports carry their extension", () => {
    const bare = /(?:from|import\()\s*["']\.{1,2}\/[^"']*(?<!\.ts|\.json)["']/;
    expect(files.filter((file) => bare.test(file.text)).map((file) => file.path)).toEqual([]);
  });
});

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
