import { columnsOf, type Migration } from "./migration.ts";

/** Where history stood at the last look: a server that is started anew goes on from there. */
export const historySchema: Migration = {
  name: "0004-history",
  statements: (dialect) => {
    const { big } = columnsOf(dialect);
    return [
      `create table history_look (
        run_id ${big} primary key references run (id), stamp text not null, heads text not null,
        strange text not null, at ${big} not null)`,
    ];
  },
};
