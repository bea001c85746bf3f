import type { DialectName } from "./migration.ts";

export function fileTables(_dialect: DialectName): string[] {
  return [];
}
