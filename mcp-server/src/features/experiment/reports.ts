import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";
import { usedLoans } from "./experiment.store.ts";
import { jsonText, type Output } from "./output.ts";
import { learningLines, portfolioReport, teamFile } from "./report.rules.ts";
import type { FinalReport } from "./report.schema.ts";
import type { RunOutcome } from "./runner.ts";

/** The report of a run as it stands (requirement OU-02). */
export async function reportOf(db: Kysely<Database>, outcome: RunOutcome): Promise<FinalReport> {
  return portfolioReport({ ...outcome, loans: await usedLoans(db) });
}

/** Writes what is told about the whole run: the portfolio's report, the teams' and the learnings (OU-01, AG-06). */
export async function writeReports(db: Kysely<Database>, outcome: RunOutcome, output: Output): Promise<void> {
  const facts = { ...outcome, loans: await usedLoans(db) };
  for (const { id } of outcome.config.teams) output.write(`${id}/final_report.json`, jsonText(teamFile(facts, id)));
  const learnings = learningLines(outcome.sprints);
  if (learnings !== "") output.write("meta_learnings.jsonl", learnings);
  output.write("final_report.json", jsonText(portfolioReport(facts)));
}
