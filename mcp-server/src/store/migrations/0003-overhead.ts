import type { DialectName } from "./migration.ts";

export function overheadTables(_dialect: DialectName): string[] {
  return [];
}
