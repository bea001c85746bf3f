import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allRules } from "../mcp-server/src/features/doctor/catalogue.ts";
import { hookProbes } from "../mcp-server/src/features/doctor/hook-probes.ts";
import { rulePlaces } from "../mcp-server/src/features/doctor/rule.schema.ts";
import { Liveness } from "../mcp-server/src/surfaces/guard/liveness.ts";
import { guardRules } from "../mcp-server/src/surfaces/guard/rules.ts";
import { rulesPage } from "../scripts/generate-rules.ts";

const root = join(import.meta.dirname, "..");
const ofHooks = guardRules.map((make) => make());
const rules = allRules(ofHooks);

describe("the rules as doctor_check knows them (design §1.6)", () => {
  test("every rule of the guard has a probe of its own, and no probe is of a rule there is not", () => {
    expect(Object.keys(hookProbes).sort()).toEqual(ofHooks.map(({ name }) => name).sort());
  });

  test.each(rules.map((rule) => [rule.name, rule] as const))(
    "%s is tried or says why not, and names its source",
    (_, rule) => {
      expect(rule.probe !== undefined || (rule.reason ?? "").length > 20).toBe(true);
      expect(rule.promise).toMatch(/^[A-Z].*\.$/);
      for (const text of [rule.source, rule.offBy, rule.onFailure]) expect(text).not.toBe("");
    },
  );

  test("names are unique, and rules without a probe are none that protect others", () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
    expect(rules.filter(({ strict, probe }) => strict && !probe)).toEqual([]);
  });

  test("a hook rule waits for a hook that hooks.json asks for, and whose tools it looks at", () => {
    for (const { name, beforeTool, afterTool } of ofHooks) {
      const { event = "", tool = "" } = hookProbes[name]?.hook ?? {};
      const seen = new Liveness();
      seen.note(event, tool, 1);
      expect([name, seen.last(event, tool)]).toEqual([name, 1]);
      const tools = event === "PreToolUse" ? beforeTool?.tools : event === "PostToolUse" ? afterTool?.tools : /^/;
      expect([name, tools?.test(tool)]).toEqual([name, true]);
    }
  });

  test("advice names a skill there is", () => {
    const advice = rules.filter(({ place }) => place === "advice");
    expect(advice.filter(({ source }) => !existsSync(join(root, source, "SKILL.md")))).toEqual([]);
  });

  test("docs/rules.md has every rule with its promise, in four sections", () => {
    const page = rulesPage("");
    for (const { name, promise } of rules) expect(page).toContain(`| ${name} | ${promise.replaceAll("|", "\\|")} |`);
    expect(page.match(/^## /gm)).toHaveLength(rulePlaces.length);
  });
});

describe("which hooks have arrived", () => {
  test("one of an entry stands for all tools of the entry, and for no other", () => {
    const seen = new Liveness();
    expect(seen.last("PreToolUse", "Bash")).toBeUndefined();
    seen.note("PreToolUse", "mcp__plugin_teamwright_teamwright__task_show", 5);
    expect([
      seen.last("PreToolUse", "Bash"),
      seen.last("PreToolUse", "mcp__plugin_teamwright_teamwright__guard"),
    ]).toEqual([undefined, 5]);
    seen.note("PreToolUse", "Read", 7);
    expect(["Bash", "Edit", "SendMessage"].map((tool) => seen.last("PreToolUse", tool))).toEqual([7, 7, 7]);
    expect([seen.last("PreToolUse", "WebFetch"), seen.last("SubagentStop", "")]).toEqual([undefined, undefined]);
    seen.note("Unknown", "", 9);
  });

  test("every entry that calls the guard is one of those events", () => {
    const { hooks } = JSON.parse(readFileSync(join(root, "hooks/hooks.json"), "utf8"));
    const seen = new Liveness();
    for (const event of Object.keys(hooks)) seen.note(event, "Bash", 1);
    expect(seen.last("UserPromptSubmit", "")).toBe(1);
  });
});
