import type { DialectName } from "./migration.ts";

export function checkpointTables(_dialect: DialectName): string[] {
  return [];
}
