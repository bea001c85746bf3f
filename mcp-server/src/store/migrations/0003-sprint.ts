import type { DialectName } from "./migration.ts";

export function sprintTables(_dialect: DialectName): string[] {
  return [];
}
