import type { DialectName } from "./migration.ts";

export function reviewTables(_dialect: DialectName): string[] {
  return [];
}
