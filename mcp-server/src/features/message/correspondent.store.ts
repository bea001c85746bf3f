import { type Kysely, sql } from "kysely";
import { teamOfAgent } from "../../config/config.schema.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { directsWork, type Principal } from "../../kernel/principal.ts";
import type { Database } from "../../store/database.ts";
import { type AgentRow, agentsOfSession, liveAgents } from "../agent/agent.store.ts";
import { membersOf } from "../agent/placement.rules.ts";
import { placements } from "../agent/placement.store.ts";
import { activeRun, openRuns, type RunRow } from "../run/run.store.ts";
import { type Correspondent, reviewerRole } from "./message.rules.ts";

/**
 * Whom the sender can reach by name or id: everybody of its session, the living of its team elsewhere, and names the
 * configuration declares. Later ones are meant rather than earlier ones of the same name.
 */
export async function correspondentsOf(ctx: OperationContext, sender: Principal): Promise<Correspondent[]> {
  const teams = ctx.config.teams.filter((team) => sender.team === undefined || team.id === sender.team);
  const places = await placements(ctx.db, ctx.config);
  const declared = teams
    .filter(() => sender.team !== undefined || directsWork(sender))
    .flatMap((team) => membersOf(ctx.config.teams, places, team.id))
    .map((name): Correspondent => ({ key: undefined, name, role: null, isAlive: false }));
  const elsewhere = sender.team !== undefined || directsWork(sender) ? await liveAgents(ctx.db, sender.team) : [];
  const here = sender.session === undefined ? [] : await agentsOfSession(ctx.db, sender.session);
  const others = elsewhere.filter((row) => row.session !== sender.session).reverse();
  return [...declared, ...others.map(toCorrespondent), ...here.map(toCorrespondent)];
}

function toCorrespondent(row: AgentRow): Correspondent {
  return {
    key: `agent:${row.agent_id}`,
    name: row.name ?? row.agent_id,
    agentId: row.agent_id,
    role: row.role,
    isAlive: row.ended_at === null,
  };
}

/** The lead a sender means: of its session, else of the newest open run that has one. */
export async function leadFor(
  ctx: OperationContext,
  sender: Principal,
): Promise<{ key: string; run: RunRow | undefined } | undefined> {
  if (sender.session !== undefined) {
    return { key: `lead:${sender.session}`, run: await activeRun(ctx.db, sender.session) };
  }
  const run = (await openRuns(ctx.db)).find((candidate) => candidate.session !== null);
  return run && { key: `lead:${run.session}`, run };
}

/**
 * Whether one of these words names an adversarial reviewer: by agent id, or by a name a reviewer of this session has
 * or had. The spawn's record counts, too: an agent is joined with it only some time after its start.
 */
export async function namesReviewer(
  db: Kysely<Database>,
  session: string | undefined,
  words: readonly string[],
): Promise<boolean> {
  if (words.length === 0) return false;
  const lower = words.map((word) => word.toLowerCase());
  const agent = await db
    .selectFrom("agent")
    .select("id")
    .where("role", "=", reviewerRole)
    .where((e) =>
      e.or([
        e(sql`lower(agent_id)`, "in", lower),
        e.and([e(sql`lower(name)`, "in", lower), e("session", "=", session ?? "")]),
      ]),
    )
    .executeTakeFirst();
  if (agent) return true;
  const spawn = await db
    .selectFrom("spawn")
    .select("id")
    .where("subagent_type", "like", `%${reviewerRole}`)
    .where((e) =>
      e.or([
        e(sql`lower(agent_id)`, "in", lower),
        e.and([e(sql`lower(name)`, "in", lower), e("session", "=", session ?? "")]),
      ]),
    )
    .executeTakeFirst();
  return spawn !== undefined;
}

/**
 * The agent of a session that a word of the client means: by id, else the newest of that name. Undefined when there
 * is none.
 */
export async function agentCalled(
  db: Kysely<Database>,
  session: string,
  words: readonly string[],
): Promise<AgentRow | undefined> {
  const rows = await agentsOfSession(db, session);
  const fits = (text: string | null) => text !== null && words.includes(text.toLowerCase());
  return rows.find((row) => fits(row.agent_id)) ?? rows.findLast((row) => fits(row.name));
}

/** Whether Teamwright has to do with this agent: it has a task, or a name that the configuration declares. */
export function isKnown(ctx: Pick<OperationContext, "config">, row: AgentRow | undefined): boolean {
  if (!row) return false;
  return row.task_key !== null || (row.name !== null && teamOfAgent(ctx.config, row.name) !== undefined);
}
