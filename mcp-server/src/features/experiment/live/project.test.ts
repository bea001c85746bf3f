import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseConfig } from "../../../config/config.load.ts";
import { pluginFolder } from "./plugin.ts";
import { projectConfig, withoutSecrets } from "./project.ts";

test("what sessions can read names no store and no webhook of the caller's, whatever anchors stand there (EX-01)", () => {
  const config = `storage: { url: "postgres://ann:secret@db/x" }
stakeholder_review: { enabled: true, feedback: webhook, webhook_url: "https://example.com/hook?key=secret" }
teams:
  - { id: alpha, agents: [abe] }
  - { id: beta, agents: [bea] }
`;
  const anchored = config.replace("enabled: true", "enabled: &on true");
  const using = `${anchored}turnover: { enabled: *on }\n`;
  const merged = config.replace(
    "stakeholder_review: {",
    "models: { agents: { abe: {}, bea: {} } } # secret\nstakeholder_review: {",
  );
  expect(withoutSecrets("teams: []\n")).toBe("teams: []\n");
  for (const text of [config, anchored, using, merged]) {
    const kept = projectConfig(withoutSecrets(text), 7);
    expect(kept).not.toContain("secret");
    const { config: parsed, problems } = parseConfig(kept, "teamwright.yaml");
    expect(problems).toEqual([]);
    expect(parsed).toMatchObject({ experiment: { sprints: 7 }, stakeholder_review: { enabled: true } });
    expect(parsed).toMatchObject({ turnover: { enabled: text === using } });
  }
});

test("the plugin is the one of this name above the program, and not the plugin of a project that depends on it", () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "teamwright-plugin-")));
  try {
    const start = join(root, "node_modules/teamwright/dist/lib");
    mkdirSync(start, { recursive: true });
    const manifest = (folder: string, name: string) => {
      mkdirSync(join(folder, ".claude-plugin"), { recursive: true });
      writeFileSync(join(folder, ".claude-plugin/plugin.json"), JSON.stringify({ name }));
    };
    manifest(root, "somebody-elses");
    expect(() => pluginFolder(start)).toThrow("sessions could not load it");
    manifest(join(root, "node_modules/teamwright"), "teamwright");
    expect(pluginFolder(start)).toBe(join(root, "node_modules/teamwright"));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
