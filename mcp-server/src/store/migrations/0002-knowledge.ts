import type { DialectName } from "./migration.ts";

export function knowledgeTables(_dialect: DialectName): string[] {
  return [];
}
