import type { DialectName } from "./migration.ts";

export function coordinationTables(_dialect: DialectName): string[] {
  return [];
}
