import type { DialectName } from "./migration.ts";

export function unitTables(_dialect: DialectName): string[] {
  return [];
}
