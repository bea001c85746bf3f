import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { LoanRow } from "../agent/placement.store.ts";

/** A loan in force, or one that is over and whose agent does not know it yet. */
export async function loanToTell(
  db: Kysely<Database>,
  { name, team }: Principal,
  isStart: boolean,
): Promise<LoanRow | undefined> {
  const rows = await untold.all(db, { name });
  // an agent that another team has started under the same name is not meant
  return rows.find((row) =>
    row.status === "active"
      ? row.to_team === team && (isStart || row.told_at === null)
      : row.home_team === team && row.told_home_at === null,
  );
}

const untold = prepared((db, p: { name: string }) =>
  db
    .selectFrom("loan")
    .selectAll()
    .where("agent", "=", p.name)
    .where((e) =>
      e.or([e("status", "=", "active"), e.and([e("status", "=", "returned"), e("told_home_at", "is", null)])]),
    )
    .orderBy("id", "desc"),
);

/** Notes that the agent knows; false when another process has told it meanwhile. */
export async function noteLoanTold(ctx: OperationContext, loan: LoanRow): Promise<boolean> {
  const column = loan.status === "active" ? "told_at" : "told_home_at";
  const result = await ctx.db
    .updateTable("loan")
    .set({ [column]: ctx.now })
    .where("id", "=", loan.id)
    .where("status", "=", loan.status)
    .where(column, "is", null)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) > 0;
}
