import { borrowTables } from "./0003-borrow.ts";
import { coordinationTables } from "./0003-coordination.ts";
import { overheadTables } from "./0003-overhead.ts";
import { portfolioTables } from "./0003-portfolio.ts";
import { sprintTables } from "./0003-sprint.ts";
import type { Migration } from "./migration.ts";

/** Sprints, loans, the portfolio and the coordination of several teams; one file per slice. */
export const teamsSchema: Migration = {
  name: "0003-teams",
  statements: (dialect) => [
    ...sprintTables(dialect),
    ...borrowTables(dialect),
    ...overheadTables(dialect),
    ...portfolioTables(dialect),
    ...coordinationTables(dialect),
  ],
};
