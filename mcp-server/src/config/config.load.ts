import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLParseError,
} from "yaml";
import { TeamwrightError } from "../kernel/errors.ts";
import { type ConfigFile, configSchema, type ProjectConfig, withDefaults } from "./config.schema.ts";
import { crossChecks, type Purpose } from "./cross-checks.ts";
import { problemsOf } from "./problems.ts";
import { CONFIG_FILE } from "./project-root.ts";

/** Reads the project's configuration. Throws INVALID_INPUT that lists every problem with file, line and column. */
export function loadConfig(root: string): ProjectConfig {
  const path = join(root, CONFIG_FILE);
  if (!existsSync(path)) return withDefaults(configSchema.parse({}), root);
  const { config, problems } = parseConfig(readFileSync(path, "utf8"), CONFIG_FILE);
  if (!config) {
    throw new TeamwrightError(
      "INVALID_INPUT",
      `${CONFIG_FILE} has ${problems.length} problem${problems.length === 1 ? "" : "s"}.`,
      undefined,
      problems,
    );
  }
  return withDefaults(config, root, path);
}

/**
 * Pure: text to configuration or to all problems at once, each as `file:line:column message` with what to write instead
 * where that can be told (requirements TC-02, TC-09). An experiment's file has to name several teams with agents.
 */
export function parseConfig(
  text: string,
  file: string,
  purpose: Purpose = {},
): { config?: ConfigFile; problems: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: "error" });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${basename(file)}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const problems = document.errors.map((error) => `${at(error.pos[0])} ${syntaxFault(error)}`);
  if (problems.length > 0) return { problems };
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    return { problems: [`${at(0)} ${error instanceof Error ? error.message : String(error)}`] }; // aliases of nothing, or too many
  }
  const result = configSchema.safeParse(value);
  const place = (path: readonly string[], key?: boolean) => at(offsetOf(document, path, key));
  for (const issue of result.error?.issues ?? []) problems.push(...problemsOf(issue, value, place));
  for (const { path, text: fault } of crossChecks(value, purpose)) problems.push(`${place(path)} ${fault}`);
  problems.sort(byPlace);
  return problems.length > 0 || !result.success ? { problems } : { config: result.data, problems };
}

function syntaxFault({ code, message }: YAMLParseError): string {
  return code === "MULTIPLE_DOCS" ? "a second document begins here; take out the line `---`" : message;
}

function byPlace(a: string, b: string): number {
  const [, lineA = 0, columnA = 0] = a.split(/[: ]/, 3).map(Number);
  const [, lineB = 0, columnB = 0] = b.split(/[: ]/, 3).map(Number);
  return lineA - lineB || columnA - columnB;
}

/** Offset of the value at a path, or of the deepest part of it that exists; `key` asks for the key itself. */
function offsetOf(document: Document, path: readonly string[], key = false): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part);
      if (!pair) return offset;
      const keyNode = pair.key as Node;
      if (key && depth === path.length - 1) return keyNode.range?.[0] ?? offset;
      node = pair.value as Node | null;
      offset = node?.range?.[0] ?? keyNode.range?.[0] ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(part)] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
