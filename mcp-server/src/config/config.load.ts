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
import { hint, TeamwrightError } from "../kernel/errors.ts";
import { isRecord } from "../kernel/records.ts";
import { wordingOf } from "../kernel/wording.ts";
import { type ConfigFile, configSchema, type ProjectConfig, withDefaults } from "./config.schema.ts";
import { crossChecks, type Purpose } from "./cross-checks.ts";
import { problemsIn } from "./problems.ts";
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
      hint("team_check", "looks at it again when it is mended"),
      problems,
    );
  }
  return withDefaults(config, root, path);
}

/** A file as it was written. */
export interface Source {
  readonly text: string;
  readonly file: string;
}

/**
 * Pure: text to configuration or to all problems at once, each as `file:line:column message` with what to write instead
 * where that can be told (requirements TC-02, TC-09). An experiment's file has to name several teams with agents. Where
 * the text was put together, places are told in the files it was made of, the last one that has them.
 */
export function parseConfig(
  text: string,
  file: string,
  purpose: Purpose = {},
  writtenIn: readonly Source[] = [],
): { config?: ConfigFile; problems: string[] } {
  const whole = openSource({ text, file });
  const sources = writtenIn.length > 0 ? writtenIn.map(openSource) : [whole];
  const faults = [...sources, whole].find((source) => source.faults.length > 0)?.faults;
  if (faults) return { problems: [...faults] };
  const { value } = whole;
  const result = configSchema.safeParse(value, { error: wordingOf });
  const place = (path: readonly string[], key?: boolean) => {
    const found = sources.map((source) => ({ source, ...locate(source.document, path, key) }));
    const best = found.reduce((one, other) => (other.depth >= one.depth ? other : one));
    return best.source.at(best.offset);
  };
  const problems = problemsIn(result.error?.issues ?? [], value, place);
  const crossed = isRecord(value) ? crossChecks(value, purpose) : [];
  for (const { path, text: fault } of crossed) problems.push(`${place(path)} ${fault}`);
  problems.sort(byPlace);
  return problems.length > 0 || !result.success ? { problems } : { config: result.data, problems };
}

/** Beyond it they are consequences of the first ones. */
const MOST_FAULTS = 20;

function openSource({ text, file }: Source) {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: "error" });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${basename(file)}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const faults = [...new Set(document.errors.map((error) => `${at(error.pos[0])} ${syntaxFault(error)}`))];
  const left = faults.splice(MOST_FAULTS).length;
  if (left > 0) faults.push(`${at(text.length)} and ${left} more, which may come of these`);
  let value: unknown;
  try {
    value = faults.length > 0 ? undefined : (document.toJS() ?? {});
  } catch (error) {
    faults.push(`${at(0)} ${error instanceof Error ? error.message : String(error)}`); // aliases of nothing, or too many
  }
  return { document, at, faults, value };
}

function syntaxFault({ code, message }: YAMLParseError): string {
  return code === "MULTIPLE_DOCS" ? "a second document begins here; take out the line `---`" : message;
}

function byPlace(a: string, b: string): number {
  const [one, other] = [a, b].map((problem) => /^(.*?):(\d+):(\d+) /s.exec(problem) ?? []);
  const [, fileA = "", lineA, columnA] = one ?? [];
  const [, fileB = "", lineB, columnB] = other ?? [];
  if (fileA !== fileB) return fileA < fileB ? -1 : 1;
  return Number(lineA) - Number(lineB) || Number(columnA) - Number(columnB);
}

/**
 * Offset of the value at a path, or of the deepest part of it that exists, and how deep that is; `key` asks for the key
 * itself.
 */
function locate(document: Document, path: readonly string[], key = false): { offset: number; depth: number } {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part);
      if (!pair) return { offset, depth };
      const keyNode = pair.key as Node;
      if (key && depth === path.length - 1) return { offset: keyNode.range?.[0] ?? offset, depth: path.length };
      node = pair.value as Node | null;
      offset = node?.range?.[0] ?? keyNode.range?.[0] ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(part)] as Node | undefined;
      if (node === undefined) return { offset, depth };
      offset = node.range?.[0] ?? offset;
    } else return { offset, depth };
  }
  return { offset, depth: path.length };
}
