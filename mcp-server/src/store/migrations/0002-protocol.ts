import { bridgeTables } from "./0002-bridge.ts";
import { briefTables } from "./0002-brief.ts";
import { checkpointTables } from "./0002-checkpoint.ts";
import { escalationTables } from "./0002-escalation.ts";
import { fileTables } from "./0002-file.ts";
import { knowledgeTables } from "./0002-knowledge.ts";
import { messageTables } from "./0002-message.ts";
import { reviewTables } from "./0002-review.ts";
import { runTables } from "./0002-run.ts";
import { tagTables } from "./0002-tag.ts";
import { unitTables } from "./0002-unit.ts";
import type { Migration } from "./migration.ts";

/** Runs, work units, reviews and all that the protocol of a run records; one file per slice. */
export const protocolSchema: Migration = {
  name: "0002-protocol",
  statements: (dialect) => [
    ...runTables(dialect),
    ...messageTables(dialect),
    ...escalationTables(dialect),
    ...checkpointTables(dialect),
    ...fileTables(dialect),
    ...knowledgeTables(dialect),
    ...tagTables(dialect),
    ...unitTables(dialect),
    ...reviewTables(dialect),
    ...bridgeTables(dialect),
    ...briefTables(dialect),
  ],
};
