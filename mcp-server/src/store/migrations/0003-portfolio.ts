import type { DialectName } from "./migration.ts";

export function portfolioTables(_dialect: DialectName): string[] {
  return [];
}
