import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import type { RunRow } from "../run/run.store.ts";
import type { UnitRow } from "./unit.store.ts";

/** What the person has said about a unit or a stage; undefined when nobody asked. */
export async function checkpointState(
  _db: Kysely<Database>,
  _about: string,
): Promise<"pending" | "approved" | "rejected" | undefined> {
  return undefined;
}

/** What a person has decided about an escalated unit. */
export async function decisionFor(_db: Kysely<Database>, _unit: string): Promise<string | undefined> {
  return undefined;
}

/** Hands a unit whose retries are used up to the person, with every failure (requirements FP-09, RE-02). */
export async function escalateUnit(_ctx: OperationContext, _unit: UnitRow, _reason: string): Promise<void> {}

/** What nobody has dealt with in a run, beside its units: one sentence each. */
export async function endObstacles(_db: Kysely<Database>, _run: RunRow): Promise<string[]> {
  return [];
}
