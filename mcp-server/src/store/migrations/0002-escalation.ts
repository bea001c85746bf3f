import type { DialectName } from "./migration.ts";

export function escalationTables(_dialect: DialectName): string[] {
  return [];
}
