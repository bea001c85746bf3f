import type { DialectName } from "./migration.ts";

export function messageTables(_dialect: DialectName): string[] {
  return [];
}
