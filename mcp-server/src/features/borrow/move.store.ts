import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { type AgentRow, agentsOfSession } from "../agent/agent.store.ts";
import { homeOf } from "../agent/placement.rules.ts";
import { dropClaim, heldBy } from "../task/claim.store.ts";
import { lockTaskById } from "../task/task.store.ts";
import { insertComment } from "../task/task-parts.store.ts";

export interface Move {
  readonly agent: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

export interface Left {
  /** Tasks that came free on the board it left. */
  readonly released: readonly string[];
  /** Tasks it has handed in there: they stay in review under its name, and whoever is there may take them up again. */
  readonly inReview: readonly string[];
}

/**
 * Brings every row of a name from one team to the other, those of ended agents too: a resumed one starts where its name
 * works. Work in hand stays on the board it belongs to, free for others, with a comment (requirements BO-03, BO-10).
 * Its team's board, channel and files follow from the row.
 */
export async function moveAgent(ctx: OperationContext, move: Move): Promise<Left> {
  const rows = await rowsOf(ctx.db, move);
  const released: string[] = [];
  const inReview: string[] = [];
  for (const row of rows) {
    const holder = `agent:${row.agent_id}`;
    await ctx.dialect.lockName(ctx.db, `holder:${holder}`); // no claim of its own comes in between
    for (const { id } of await heldBy(ctx.db, holder)) {
      const task = await lockTaskById(ctx, id);
      if (task.holder !== holder || task.team === move.to) continue;
      if (task.status !== "in_progress") {
        if (task.status === "in_review") inReview.push(task.key);
        continue;
      }
      await insertComment(ctx, task.id, { author: ctx.principal.name, body: `Given back: ${move.why}` });
      await dropClaim(ctx, task, "claim.released", move.why);
      released.push(task.key);
    }
    await ctx.db.updateTable("agent").set({ team: move.to }).where("id", "=", row.id).execute();
    if (row.ended_at === null)
      ctx.record({
        type: "agent.moved",
        subject: row.agent_id,
        team: move.to,
        before: { team: row.team },
        after: { team: move.to },
      });
  }
  return { released, inReview };
}

/**
 * Rows of a name that go from one team to the other: those of the first, and those that stand in a third because the
 * configuration has changed since. An agent that one of a third team has started under the same name is not meant.
 */
async function rowsOf(db: Kysely<Database>, { agent, from, to }: Move): Promise<AgentRow[]> {
  return db
    .selectFrom("agent")
    .selectAll()
    .where("name", "=", agent)
    .where((e) => e.or([e("team", "is", null), e("team", "!=", to)]))
    .where((e) =>
      e.or([
        e("team", "=", from),
        e.not(
          e.exists(
            e
              .selectFrom("spawn")
              .select("spawn.id")
              .whereRef("spawn.agent_id", "=", "agent.agent_id")
              .where("spawn.name", "=", agent)
              .where("spawn.parent_agent_id", "is not", null),
          ),
        ),
      ]),
    )
    .orderBy("id")
    .execute();
}

/** Open tasks of a team that are meant for this agent and so wait for it. */
export async function meantFor(db: Kysely<Database>, agent: string, team: string): Promise<string[]> {
  const rows = await db
    .selectFrom("task")
    .select("key")
    .where("team", "=", team)
    .where("status", "=", "open")
    .where("assignee", "=", agent)
    .orderBy("id")
    .limit(20)
    .execute();
  return rows.map((row) => row.key);
}

/** Roles the agent was started in. */
export async function rolesPlayed(db: Kysely<Database>, agent: string, team: string): Promise<string[]> {
  const rows = await roles.all(db, { agent, team });
  return rows.flatMap(({ role }) => (role === null ? [] : [role]));
}

const roles = prepared((db, p: { agent: string; team: string }) =>
  db
    .selectFrom("agent")
    .select("role")
    .distinct()
    .where("name", "=", p.agent)
    .where("team", "=", p.team)
    .where("ended_at", "is", null),
);

/** The session that leads a team: that of its newest living agent. Whoever asks is not asked in return. */
export async function sessionOf(ctx: OperationContext, team: string, asker?: string): Promise<string | undefined> {
  const { agents } = ctx.config.teams.find(({ id }) => id === team) ?? { agents: [] };
  if (agents.length === 0) return undefined;
  let query = ctx.db.selectFrom("agent").select("session").where("name", "in", agents).where("ended_at", "is", null);
  if (asker !== undefined) query = query.where("session", "!=", asker);
  return (await query.orderBy("id", "desc").limit(1).executeTakeFirst())?.session;
}

/** The session's first agent whose home the team is: its lead leads them (requirement C-22). */
export async function firstAgentOf(
  ctx: OperationContext,
  session: string,
  team: string,
): Promise<AgentRow | undefined> {
  const rows = await agentsOfSession(ctx.db, session);
  return rows.find((row) => ((row.name && homeOf(ctx.config.teams, row.name)) ?? row.team) === team);
}

/** True when another session had living agents of the team before this one of its agents came. */
export async function isLedBefore(ctx: OperationContext, team: string, own: AgentRow): Promise<boolean> {
  const { agents } = ctx.config.teams.find(({ id }) => id === team) ?? { agents: [] };
  if (agents.length === 0) return false;
  const row = await ctx.db
    .selectFrom("agent")
    .select("id")
    .where("name", "in", agents)
    .where("session", "!=", own.session)
    .where("ended_at", "is", null)
    .where("id", "<", own.id)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
