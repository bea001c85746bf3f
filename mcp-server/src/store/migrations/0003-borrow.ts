import type { DialectName } from "./migration.ts";

export function borrowTables(_dialect: DialectName): string[] {
  return [];
}
