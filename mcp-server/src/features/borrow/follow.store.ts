import type { Kysely } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { homeOf, placeOf } from "../agent/placement.rules.ts";
import { type LoanRow, lockPlaces, placements } from "../agent/placement.store.ts";
import { returnLoan, withStatus } from "./loan.store.ts";
import { tellOfMove } from "./loan-message.store.ts";
import { moveAgent } from "./move.store.ts";

type Teams = Pick<ProjectConfig, "teams">;

/** True while a loan or an agent's row says otherwise than teamwright.yaml. Reads only. */
export async function isMisplaced(db: Kysely<Database>, config: Teams): Promise<boolean> {
  for (const loan of await withStatus(db, "active")) if (whyNoLonger(config, loan) !== undefined) return true;
  return (await misplaced(db, config)).length > 0;
}

/**
 * Brings agents where teamwright.yaml has them, after an edit of its teams (requirements TC-03, BO-03, BO-04): loans it
 * leaves no ground for end, with the reason, and rows follow their names. Agents, and the teams they leave and come to,
 * are told.
 */
export async function placeAsConfigured(ctx: OperationContext): Promise<void> {
  await lockPlaces(ctx);
  for (const loan of await withStatus(ctx.db, "active")) {
    const why = whyNoLonger(ctx.config, loan);
    if (why !== undefined) await returnLoan(ctx, loan, why);
  }
  const moves = new Map((await misplaced(ctx.db, ctx.config)).map((move) => [move.agent, move]));
  for (const { agent, from, to } of moves.values()) {
    const why = `teamwright.yaml has ${agent} in team ${to} now`;
    // of those from nowhere in particular are meant that no agent of another team has started under this name
    const left = await moveAgent(ctx, { agent, from: "", to, why });
    await tellOfMove(ctx, { agent, from, to }, left);
  }
}

/** Why the configuration, as it is now, leaves no ground for a loan; undefined while it does. */
function whyNoLonger({ teams }: Teams, loan: LoanRow): string | undefined {
  const home = homeOf(teams, loan.agent);
  if (home === undefined) return `teamwright.yaml lists ${loan.agent} in no team any more`;
  if (!teams.some(({ id }) => id === loan.to_team)) return `teamwright.yaml has no team ${loan.to_team} any more`;
  return home === loan.home_team ? undefined : `teamwright.yaml has ${loan.agent} in team ${home} now`;
}

interface Misplaced {
  readonly agent: string;
  readonly from: string | null;
  readonly to: string;
}

/** Names whose rows stand in another team than the one they work in; agents that agents have started are theirs. */
async function misplaced(db: Kysely<Database>, config: Teams): Promise<Misplaced[]> {
  const loans = await placements(db, config);
  const names = config.teams.flatMap(({ agents }) => agents);
  if (names.length === 0) return [];
  const rows = await db
    .selectFrom("agent")
    .select(["name", "team"])
    .distinct()
    .where("name", "in", names)
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom("spawn")
            .select("spawn.id")
            .whereRef("spawn.agent_id", "=", "agent.agent_id")
            .where("spawn.parent_agent_id", "is not", null),
        ),
      ),
    )
    .execute();
  return rows.flatMap(({ name, team }) => {
    const to = name === null ? undefined : placeOf(config.teams, loans, name);
    return name === null || to === undefined || team === to ? [] : [{ agent: name, from: team, to }];
  });
}
