import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { definitionFolders, definitionNamed } from "./definitions.ts";

const NAME = "teamwright:adversarial-reviewer";
let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "teamwright-agents-"));
  folder = join(root, ".claude/agents");
  mkdirSync(join(folder, "deep"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, name: string) =>
  writeFileSync(join(folder, path), `---\n${name}\ndescription: x\n---\n\nBody.\n`);
const find = () =>
  definitionNamed(
    NAME,
    definitionFolders([join(root, "src/deep")]).filter((each) => each.startsWith(root)),
  );

test("definitions of other names, of the role alone, and texts that only speak of it are nobody's rivals", () => {
  put("a.md", "name: adversarial-reviewer");
  put("b.md", "name: builder\nnote: 'teamwright:adversarial-reviewer'");
  writeFileSync(join(folder, "c.md"), `name: ${NAME}\n`);
  writeFileSync(join(folder, "d.txt"), `---\nname: ${NAME}\n---\n`);
  expect(find()).toBeUndefined();
});

test.each([
  `name: ${NAME}`,
  `name: "${NAME}"`,
  `name: 'Teamwright:Adversarial-Reviewer'`,
  'name: "teamwright\\u003aadversarial-reviewer"',
  `name: >-\n  ${NAME}`,
  `"name": ${NAME}\n`,
  `name: ${NAME} # the reviewer\ntools: [Read`,
  `tools: [Read\r\nname: ${NAME}\r`,
])("%j takes the name", (line) => {
  put("deep/z.MD", line);
  expect(find()).toBe(join(folder, "deep/z.MD"));
});

test("what a link leads to counts, one that leads round and round ends", () => {
  const away = join(root, "away");
  mkdirSync(away);
  for (let n = 0; n < 30; n += 1) symlinkSync(folder, join(folder, `deep/round${n}`));
  symlinkSync(away, join(folder, "linked"));
  expect(find()).toBeUndefined();
  writeFileSync(join(away, "x.md"), `---\nname: ${NAME}\n---\n`);
  expect(find()).toContain("linked");
});
