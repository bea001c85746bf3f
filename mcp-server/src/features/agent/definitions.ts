import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { namedClientFolder } from "../../kernel/child-environment.ts";
import type { GuardContext } from "../../kernel/guard-rule.ts";
import { isRecord, textOf } from "../../kernel/records.ts";

const MOST_FILES = 5000;
/** Of a file; what the client reads of it stands at its beginning. */
const HEAD_BYTES = 65_536;

/**
 * Looks for a definition that takes the full name of a shipped one, for as long as a server lives: the client keeps what
 * it has read once, whatever becomes of the file. Gives the file.
 */
export function rivalOf(name: string): (ctx: Pick<GuardContext, "call" | "runtime">) => string | undefined {
  let found: string | undefined;
  return ({ call, runtime }) => {
    found ??= definitionNamed(name, definitionFolders([runtime.config.root, ...(call.cwd ? [call.cwd] : [])]));
    return found;
  };
}

/** Where the client looks for definitions of agents that are no plugin's: the person's own and those above these folders. */
export function definitionFolders(from: readonly string[]): string[] {
  const folders = new Set([join(namedClientFolder() ?? join(homedir(), ".claude"), "agents")]);
  for (const start of from)
    for (let folder = start; ; folder = dirname(folder)) {
      folders.add(join(folder, ".claude", "agents"));
      if (dirname(folder) === folder) break;
    }
  return [...folders];
}

/** The file of a definition of this full name; undefined when there is none. Throws when there are too many to look at. */
export function definitionNamed(name: string, folders: readonly string[]): string | undefined {
  const files: string[] = [];
  const seen = new Set<string>();
  for (const folder of folders) collect(folder, files, seen);
  return files.find((file) => nameIn(file) === name.toLowerCase());
}

/** Follows links, as the client does, each to its end once. */
function collect(path: string, files: string[], seen: Set<string>): void {
  const kind = statSync(path, { throwIfNoEntry: false });
  const id = kind && `${kind.dev}:${kind.ino}`;
  if (!kind || id === undefined || seen.has(id)) return;
  seen.add(id);
  if (seen.size > MOST_FILES) throw new Error(`more than ${MOST_FILES} files beside definitions of agents`);
  if (kind.isDirectory()) for (const name of namesIn(path)) collect(join(path, name), files, seen);
  else if (kind.isFile() && /\.md$/i.test(path)) files.push(path);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** In lower case. What is no YAML is read as the client reads it then: line by line. */
function nameIn(file: string): string {
  const head = /^\uFEFF?---\s*\n(.*?)\n---/s.exec(headOf(file).replaceAll("\r\n", "\n"))?.[1] ?? "";
  const line = /^\s*["']?name["']?\s*:\s*(.*)$/m.exec(head)?.[1] ?? "";
  return (yamlName(head) ?? line.replace(/["'\\]|\s+#.*$/g, "")).trim().toLowerCase();
}

function headOf(file: string): string {
  const handle = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(HEAD_BYTES);
    return bytes.toString("utf8", 0, readSync(handle, bytes, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(handle);
  }
}

function yamlName(head: string): string | undefined {
  try {
    const read: unknown = parse(head, { logLevel: "silent" });
    return isRecord(read) ? textOf(read.name) : undefined;
  } catch {
    return undefined;
  }
}
