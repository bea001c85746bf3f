import type { DialectName } from "./migration.ts";

export function tagTables(_dialect: DialectName): string[] {
  return [];
}
