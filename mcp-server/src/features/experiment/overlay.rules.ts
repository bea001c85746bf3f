import { dirname, join, relative } from "node:path";
import { parse, stringify } from "yaml";
import { isRecord } from "../../kernel/records.ts";

export interface Overlay {
  /** Where the two files are; a backlog that the second names is looked for beside it. */
  readonly baseFile: string;
  readonly file: string;
}

/**
 * A configuration with a variant laid over it: maps are merged, anything else is replaced. The result is a configuration
 * file like any other, and is checked as one.
 */
export function laidOver(base: string, variant: string, { baseFile, file }: Overlay): string {
  const [under, over] = [readYaml(base), readYaml(variant)];
  if (under === undefined || over === undefined) return base; // which of them is no YAML, and where, is told by its check
  return stringify(merge(under, withBacklogBeside(over, baseFile, file)));
}

function readYaml(text: string): unknown {
  try {
    return parse(text, { logLevel: "error", merge: true }) ?? {};
  } catch {
    return undefined;
  }
}

function withBacklogBeside(over: unknown, baseFile: string, file: string): unknown {
  if (!isRecord(over) || !isRecord(over.portfolio) || typeof over.portfolio.backlog !== "string") return over;
  const path = relative(dirname(baseFile), join(dirname(file), over.portfolio.backlog)).replaceAll("\\", "/");
  return { ...over, portfolio: { ...over.portfolio, backlog: path } };
}

function merge(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = key in base ? merge(base[key], value) : value;
  return merged;
}
