import { readFileSync } from "node:fs";
import { join } from "node:path";
import ajvModule from "ajv-draft-04";
import formatsModule from "ajv-formats";
import fc from "fast-check";
import { SaxesParser } from "saxes";
import { beforeAll, describe, expect, test } from "vitest";
import { githubFormat } from "../mcp-server/src/features/report/format-github.view.ts";
import { junitFormat } from "../mcp-server/src/features/report/format-junit.view.ts";
import { sarifFormat } from "../mcp-server/src/features/report/format-sarif.view.ts";
import { textFormat } from "../mcp-server/src/features/report/format-text.view.ts";
import { lintReport, lintRules } from "../mcp-server/src/features/report/lint.rules.ts";
import type { LintResult } from "../mcp-server/src/features/report/lint.schema.ts";
import { exampleFacts, exampleReport, exampleSetting } from "../mcp-server/src/features/report/lint-examples.rules.ts";
import { loadMarkdown } from "../mcp-server/src/features/report/markdown.rules.ts";
import { parseReport } from "../mcp-server/src/features/report/parse.rules.ts";
import { plainView } from "../mcp-server/src/kernel/view.ts";

// both packages are CommonJS: the class is the default export's `default` for types and at run time
const Ajv = ajvModule.default;
const addFormats = formatsModule.default;
const schema = JSON.parse(readFileSync(join(import.meta.dirname, "fixtures/sarif/sarif-2.1.0-rtm.5.json"), "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
addFormats(ajv);
const isSarif = ajv.compile(schema);

beforeAll(loadMarkdown);

function resultOf(files: readonly (readonly [path: string, text: string])[], facts = {}): LintResult {
  const linted = files.map(([path, text]) => ({
    path,
    findings: lintReport(parseReport(text), { ...exampleSetting, ...facts }),
  }));
  const all = linted.flatMap(({ findings }) => findings);
  const errors = all.filter(({ level }) => level === "error").length;
  return {
    ok: all.length === 0,
    reports: files.length,
    errors,
    warnings: all.length - errors,
    fixed: 0,
    fixable: all.filter(({ fixable }) => fixable).length,
    files: linted.filter(({ findings }) => findings.length > 0),
  };
}

/** Every rule's bad example, under paths that have to be escaped. */
function everything(): LintResult {
  const results = lintRules.map(({ id, bad }) =>
    resultOf([[`reports/ü & <${id}>, "50%":1.md`, exampleReport(bad)]], exampleFacts[id]),
  );
  const sum = (field: "reports" | "errors" | "warnings" | "fixable") =>
    results.reduce((total, result) => total + result[field], 0);
  return {
    ok: false,
    reports: sum("reports") + 2,
    errors: sum("errors"),
    warnings: sum("warnings"),
    fixed: 0,
    fixable: sum("fixable"),
    files: results.flatMap(({ files }) => files),
  };
}

function elementsOf(xml: string): string[] {
  const names: string[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name }) => void names.push(name));
  parser.on("error", (error) => {
    throw error;
  });
  parser.write(xml).close();
  return names;
}

describe("SARIF", () => {
  test("the checker knows a wrong log", () => {
    expect(isSarif({ version: "2.1.0", runs: [{ tool: {} }] })).toBe(false);
  });

  test("every rule's finding validates against the published schema", () => {
    const log = JSON.parse(sarifFormat(everything()));
    isSarif(log);
    expect(isSarif.errors).toBeNull();
    const [run] = log.runs;
    expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(lintRules.map(({ id }) => id));
    expect(run.results.length).toBe(lintRules.length);
    for (const { ruleId, ruleIndex } of run.results) expect(run.tool.driver.rules[ruleIndex].id).toBe(ruleId);
  });

  test("a clean run is a log without results", () => {
    const log = JSON.parse(sarifFormat(resultOf([["a.md", exampleReport({})]])));
    isSarif(log);
    expect(isSarif.errors).toBeNull();
    expect(log.runs[0].results).toEqual([]);
  });

  test("paths are URIs", () => {
    const uriOf = (path: string) =>
      JSON.parse(sarifFormat(resultOf([[path, ""]]))).runs[0].results[0].locations[0].physicalLocation.artifactLocation
        .uri;
    expect(uriOf("a b/ü#.md")).toBe("a%20b/%C3%BC%23.md");
    expect(uriOf("/tmp/a:b.md")).toBe("file:///tmp/a%3Ab.md");
    expect(uriOf("C:/a.md")).toBe("file:///C:/a.md");
    expect(uriOf("<stdin>")).toBe("%3Cstdin%3E");
  });
});

describe("JUnit", () => {
  test("every rule's finding is a failure in well-formed XML", () => {
    const result = everything();
    const names = elementsOf(junitFormat(result));
    expect(names.filter((name) => name === "failure").length).toBe(lintRules.length);
    expect(names.filter((name) => name === "testcase").length).toBe(lintRules.length + 1);
  });

  test("whatever a path or report holds, the XML is well-formed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (path, text) => {
        elementsOf(junitFormat(resultOf([[path, `# ${text}\nStatus: ${text}\n## ${text}\n### ${text}`]])));
      }),
      { numRuns: 500 },
    );
  });
});

describe("GitHub annotations", () => {
  test("every finding is one line that no path or message can break", () => {
    const lines = githubFormat(everything()).split("\n");
    expect(lines.length).toBe(lintRules.length + 1);
    for (const line of lines.slice(0, -1))
      expect(line).toMatch(
        /^::(?:error|warning) file=[^,:\r\n]+,line=\d+,endLine=\d+,col=\d+(?:,endColumn=\d+)?,title=TW\d{3} [a-z-]+::\S/,
      );
    expect(lines[0]).toContain('%2C "50%25"%3A1.md');
  });

  test("no report can write a workflow command", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const result = resultOf([
          [`a\r\n::error::${text}`, `# ${text}\nStatus: ${text}\n::set-output name=a::${text}`],
        ]);
        const lines = githubFormat(result).split(/\r\n|\n|\r/);
        expect(lines.length).toBe(result.errors + result.warnings + 1);
      }),
      { numRuns: 500 },
    );
  });
});

describe("text", () => {
  const view = plainView(0);

  test("shows the line and a caret below the place", () => {
    const text = exampleReport({ status: "Status: done", tags: "- CROSS-DOMAIN:日本語: 試験" });
    expect(textFormat(resultOf([["reports/ada.md", text]]), view)).toMatchInlineSnapshot(`
      "reports/ada.md:2:9 warning TW103 status-word "done" is understood as COMPLETE; write that.
        2 | Status: done
          |         ^^^^
      reports/ada.md:16:3 error TW204 unknown-target Nobody is called "日本語".
        16 | - CROSS-DOMAIN:日本語: 試験
           |   ^^^^^^^^^^^^^^^^^^^^

      1 error, 1 warning in 1 of 1 report. --fix mends 1 of them."
    `);
  });

  test("prints no control character and no secret of a report", () => {
    const secret = `ghp_${"a1B2c3D4e5".repeat(4)}`;
    const text = `# A Report\nStatus: \u001b[2Jdone ${secret}\u0007\u202e\n## ${secret} - x\n`;
    const result = resultOf([["a\u001b[2J\n.md", text]]);
    for (const shown of [textFormat(result, view), githubFormat(result), junitFormat(result), sarifFormat(result)]) {
      expect(shown).not.toContain(secret);
      expect(shown.split("\n").join("")).not.toMatch(/[\p{Cc}\u202e]/u);
    }
    expect(JSON.stringify(result.files[0]?.findings)).not.toContain(secret);
  });
});
