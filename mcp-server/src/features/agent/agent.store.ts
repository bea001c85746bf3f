import { type Kysely, type Selectable, sql } from "kysely";
import { type ProjectConfig, teamOfAgent } from "../../config/config.schema.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { matchSpawn, roleOf, taskIdsIn } from "./agent.rules.ts";
import type { AgentTable, SpawnTable } from "./agent.table.ts";
import { lockPlaces, teamOf } from "./placement.store.ts";

export type AgentRow = Selectable<AgentTable>;
export type SpawnRow = Selectable<SpawnTable>;

const PENDING_MS = 10 * 60_000;

/** Notes an Agent call before it happens: the only place where name, definition and task stand together. */
export async function noteSpawn(
  ctx: OperationContext,
  spawn: Pick<
    SpawnRow,
    "session" | "tool_use_id" | "parent_agent_id" | "name" | "subagent_type" | "task_key" | "worktree"
  >,
): Promise<void> {
  await ctx.db
    .insertInto("spawn")
    .values({ ...spawn, agent_id: null, created_at: ctx.now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The first task id in the text that belongs to a task still to be done. */
export async function openTaskIn(db: Kysely<Database>, text: string): Promise<string | null> {
  const candidates = taskIdsIn(text);
  if (candidates.length === 0) return null;
  const rows = await db
    .selectFrom("task")
    .select("key")
    .where("key", "in", candidates)
    .where("status", "!=", "closed")
    .execute();
  const open = new Set(rows.map((row) => row.key));
  return candidates.find((key) => open.has(key)) ?? null;
}

interface SeenAgent {
  readonly session: string;
  readonly agentId: string;
  readonly agentType: string;
  /** The Agent call that started it, where the client's own record names it. */
  readonly spawnCall?: string | undefined;
}

/** The agent's row, created at first sight; joined with its spawn when that is unambiguous. */
export async function meetAgent(ctx: OperationContext, seen: SeenAgent): Promise<AgentRow> {
  const known = await findAgent(ctx.db, seen.agentId);
  const spawn = known?.name || known?.role ? undefined : await spawnFor(ctx, seen);
  if (known && !spawn) return known;
  const row = known ?? (await insertAgent(ctx, seen));
  return spawn ? joinSpawn(ctx, row, spawn) : row;
}

async function insertAgent(ctx: OperationContext, seen: Pick<SeenAgent, "session" | "agentId">): Promise<AgentRow> {
  const row = await ctx.db
    .insertInto("agent")
    .values({
      agent_id: seen.agentId,
      session: seen.session,
      name: null,
      role: null,
      team: onlyTeam(ctx.config),
      task_key: null,
      worktree: null,
      started_at: ctx.now,
      last_seen_at: ctx.now,
      ended_at: null,
      end_reason: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (!row)
    return ctx.db.selectFrom("agent").selectAll().where("agent_id", "=", seen.agentId).executeTakeFirstOrThrow();
  ctx.record({ type: "agent.started", subject: seen.agentId, after: { session: seen.session } });
  return row;
}

function onlyTeam(config: ProjectConfig): string | null {
  const [only, ...others] = config.teams;
  return only && others.length === 0 ? only.id : null;
}

async function spawnFor(ctx: OperationContext, seen: SeenAgent): Promise<SpawnRow | undefined> {
  if (await hasSpawn(ctx.db, seen.agentId)) return undefined;
  const pending = await ctx.db
    .selectFrom("spawn")
    .selectAll()
    .where("session", "=", seen.session)
    .where("agent_id", "is", null)
    .where("created_at", ">", ctx.now - PENDING_MS)
    .orderBy("id")
    .execute();
  if (seen.spawnCall !== undefined) return pending.find((row) => row.tool_use_id === seen.spawnCall);
  const match = matchSpawn(
    pending.map((row) => ({ id: Number(row.id), name: row.name, subagentType: row.subagent_type })),
    seen.agentId,
    seen.agentType,
  );
  return pending.find((row) => Number(row.id) === match?.id);
}

/** True for an agent whose own spawn is known, though it gave it no name: the next spawn is another's. */
async function hasSpawn(db: Kysely<Database>, agentId: string): Promise<boolean> {
  const own = await db.selectFrom("spawn").select("id").where("agent_id", "=", agentId).executeTakeFirst();
  return own !== undefined;
}

/** PostToolUse of Agent names the id for certain: what was guessed before is corrected. */
export async function confirmSpawn(
  ctx: OperationContext,
  session: string,
  toolUseId: string,
  agentId: string,
): Promise<AgentRow | undefined> {
  const spawn = await ctx.db.selectFrom("spawn").selectAll().where("tool_use_id", "=", toolUseId).executeTakeFirst();
  if (!spawn || spawn.session !== session) return undefined;
  const row = (await findAgent(ctx.db, agentId)) ?? (await insertAgent(ctx, { session, agentId }));
  return spawn.agent_id === agentId ? row : joinSpawn(ctx, row, spawn);
}

async function joinSpawn(ctx: OperationContext, agent: AgentRow, spawn: SpawnRow): Promise<AgentRow> {
  await ctx.db.updateTable("spawn").set({ agent_id: agent.agent_id }).where("id", "=", spawn.id).execute();
  const name = (await takesALivingName(ctx, spawn, agent.agent_id)) ? null : spawn.name;
  const generation = name === null ? 1 : await nextGeneration(ctx.db, name, agent.agent_id);
  const team = await teamOfSpawn(ctx, { ...spawn, name });
  const change = { name, role: roleOf(spawn.subagent_type), generation, team, task_key: spawn.task_key };
  await ctx.db.updateTable("agent").set(change).where("id", "=", agent.id).execute();
  ctx.record({ type: "agent.named", subject: agent.agent_id, team: team ?? undefined, after: change });
  return { ...agent, ...change };
}

/**
 * True when an agent gives the one it starts the name of another that is at work: messages, tasks and files meant for
 * that one would come to it. Whoever directs the work may start a name anew; an agent's child goes without one.
 */
async function takesALivingName({ db, config }: OperationContext, spawn: SpawnRow, agentId: string): Promise<boolean> {
  if (spawn.name === null || spawn.parent_agent_id === null) return false;
  let bearer = db
    .selectFrom("agent")
    .select("id")
    .where("name", "=", spawn.name)
    .where("agent_id", "!=", agentId)
    .where("ended_at", "is", null);
  // a declared name means the same agent in every session
  if (teamOfAgent(config, spawn.name) === undefined) bearer = bearer.where("session", "=", spawn.session);
  return (await bearer.executeTakeFirst()) !== undefined;
}

async function nextGeneration(db: Kysely<Database>, name: string, agentId: string): Promise<number> {
  const row = await db
    .selectFrom("agent")
    .select(sql<number>`coalesce(max(generation), 0)`.as("last"))
    .where("name", "=", name)
    .where("agent_id", "!=", agentId)
    .executeTakeFirstOrThrow();
  return Number(row.last) + 1;
}

/** An agent's own spawns stay in its team; else the team its name works in now, else the one of the task it was spawned for, else the only one there is. */
async function teamOfSpawn(ctx: OperationContext, spawn: SpawnRow): Promise<string | null> {
  const parent = spawn.parent_agent_id === null ? undefined : await findAgent(ctx.db, spawn.parent_agent_id);
  if (parent?.team) return parent.team;
  if (spawn.name !== null && ctx.config.teams.length > 1) await lockPlaces(ctx);
  const listed = spawn.name === null ? undefined : await teamOf(ctx.db, ctx.config, spawn.name);
  if (listed !== undefined) return listed;
  if (spawn.task_key !== null) {
    const task = await ctx.db.selectFrom("task").select("team").where("key", "=", spawn.task_key).executeTakeFirst();
    if (task) return task.team;
  }
  return onlyTeam(ctx.config);
}

export async function findAgent(db: Kysely<Database>, agentId: string): Promise<AgentRow | undefined> {
  return byId.first(db, { agentId });
}

const byId = prepared((db, p: { agentId: string }) =>
  db.selectFrom("agent").selectAll().where("agent_id", "=", p.agentId),
);

/**
 * The principal with the team it works in now: who an agent is stays the same, where it works may be changed by a loan,
 * and by another process. With a single team nothing is asked.
 */
export async function asPlaced(
  db: Kysely<Database>,
  config: Pick<ProjectConfig, "teams">,
  known: Principal,
): Promise<Principal> {
  if (config.teams.length < 2 || known.agentId === undefined) return known;
  const team = (await teamOfRow.first(db, { agentId: known.agentId }))?.team ?? undefined;
  if (team === known.team) return known;
  const { team: _, ...rest } = known;
  return team === undefined ? rest : { ...rest, team };
}

const teamOfRow = prepared((db, p: { agentId: string }) =>
  db.selectFrom("agent").select("team").where("agent_id", "=", p.agentId),
);

export async function setAgent(
  ctx: OperationContext,
  agentId: string,
  change: Partial<Pick<AgentRow, "ended_at" | "end_reason" | "worktree" | "last_seen_at">>,
): Promise<void> {
  await ctx.db.updateTable("agent").set(change).where("agent_id", "=", agentId).execute();
}

export async function agentsOfSession(db: Kysely<Database>, session: string): Promise<AgentRow[]> {
  return db.selectFrom("agent").selectAll().where("session", "=", session).orderBy("id").execute();
}

/** Agents that have started and not ended, of one team or of all. */
export async function liveAgents(db: Kysely<Database>, team?: string): Promise<AgentRow[]> {
  let query = db.selectFrom("agent").selectAll().where("ended_at", "is", null);
  if (team !== undefined) query = query.where("team", "=", team);
  return query.orderBy("id", "desc").limit(100).execute();
}

/** The principal an agent's row stands for. */
export function agentPrincipal(row: AgentRow): Principal {
  return {
    kind: "agent",
    key: `agent:${row.agent_id}`,
    name: row.name ?? row.role ?? row.agent_id.slice(0, 8),
    session: row.session,
    agentId: row.agent_id,
    generation: row.generation,
    ...(row.role === null ? {} : { role: row.role }),
    ...(row.team === null ? {} : { team: row.team }),
  };
}

/** True when the call that started the agent asked for a working tree of its own. */
export async function wantsWorktree(db: Kysely<Database>, agentId: string): Promise<boolean> {
  const row = await db
    .selectFrom("spawn")
    .select("id")
    .where("agent_id", "=", agentId)
    .where("worktree", "=", 1)
    .executeTakeFirst();
  return row !== undefined;
}
