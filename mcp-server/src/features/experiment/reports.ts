import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";
import { loadInputs, usedLoans } from "./experiment.store.ts";
import { configOf } from "./inputs.ts";
import { jsonText, type Output } from "./output.ts";
import { learningLines, portfolioReport, teamFile } from "./report.rules.ts";
import type { FinalReport } from "./report.schema.ts";
import type { RunOutcome } from "./runner.ts";
import { setupOf } from "./setup.rules.ts";

/** The report of a run as it stands (requirement OU-02). */
export async function reportOf(db: Kysely<Database>, outcome: RunOutcome): Promise<FinalReport> {
  return portfolioReport(await factsOf(db, outcome));
}

/** Agents come and go in the course of a run: its setup is what it was begun with. */
async function factsOf(db: Kysely<Database>, outcome: RunOutcome) {
  const given = await loadInputs(db);
  return { ...outcome, loans: await usedLoans(db), setup: given && setupOf(configOf(given), given.backlogs) };
}

/** Writes what is told about the whole run: the portfolio's report, the teams' and the learnings (OU-01, AG-06). */
export async function writeReports(db: Kysely<Database>, outcome: RunOutcome, output: Output): Promise<void> {
  const facts = await factsOf(db, outcome);
  for (const { id } of outcome.config.teams) output.write(`${id}/final_report.json`, jsonText(teamFile(facts, id)));
  const learnings = learningLines(outcome.sprints);
  if (learnings !== "") output.write("meta_learnings.jsonl", learnings);
  output.write("final_report.json", jsonText(portfolioReport(facts)));
}
