import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { type AgentRow, agentsOfSession } from "../agent/agent.store.ts";
import { homeOf } from "../agent/placement.rules.ts";
import { dropClaim, heldBy } from "../task/claim.store.ts";
import { lockTaskById } from "../task/task.store.ts";
import { insertComment } from "../task/task-parts.store.ts";

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
export async function moveAgent(
  ctx: OperationContext,
  move: { readonly agent: string; readonly from: string; readonly to: string; readonly why: string },
): Promise<Left> {
  const rows = await rowsOf(ctx.db, move.agent, move.from);
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
        before: { team: move.from },
        after: { team: move.to },
      });
  }
  return { released, inReview };
}

async function rowsOf(db: Kysely<Database>, agent: string, team: string): Promise<AgentRow[]> {
  return db.selectFrom("agent").selectAll().where("name", "=", agent).where("team", "=", team).orderBy("id").execute();
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
  const rows = await db
    .selectFrom("agent")
    .select("role")
    .distinct()
    .where("name", "=", agent)
    .where("team", "=", team)
    .where("ended_at", "is", null)
    .execute();
  return rows.flatMap(({ role }) => (role === null ? [] : [role]));
}

/** The session that leads a team: that of its newest living agent. */
export async function sessionOf(ctx: OperationContext, team: string): Promise<string | undefined> {
  const { agents } = ctx.config.teams.find(({ id }) => id === team) ?? { agents: [] };
  if (agents.length === 0) return undefined;
  const row = await ctx.db
    .selectFrom("agent")
    .select("session")
    .where("name", "in", agents)
    .where("ended_at", "is", null)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.session;
}

/** True when the session has agents whose home the team is: its lead leads them (requirement C-22). */
export async function hasAgentsOf(ctx: OperationContext, session: string, team: string): Promise<boolean> {
  const rows = await agentsOfSession(ctx.db, session);
  return rows.some((row) => ((row.name && homeOf(ctx.config.teams, row.name)) ?? row.team) === team);
}
