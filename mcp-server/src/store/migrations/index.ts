import { firstSchema } from "./0001-first-schema.ts";
import { protocolSchema } from "./0002-protocol.ts";
import { teamsSchema } from "./0003-teams.ts";
import { historySchema } from "./0004-history.ts";
import { metricsSchema } from "./0005-metrics.ts";
import { designSchema } from "./0006-design.ts";
import { levelsSchema } from "./0007-levels.ts";
import { movedSchema } from "./0008-moved.ts";
import type { Migration } from "./migration.ts";

/** In order; the position is the version. A static list, because a folder cannot be read inside a bundle. */
export const migrations: readonly Migration[] = [
  firstSchema,
  protocolSchema,
  teamsSchema,
  historySchema,
  metricsSchema,
  designSchema,
  levelsSchema,
  movedSchema,
];
