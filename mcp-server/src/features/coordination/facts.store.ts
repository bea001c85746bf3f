import { type Kysely, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { membersOf } from "../agent/placement.rules.ts";
import { activeLoans } from "../agent/placement.store.ts";
import { judgeLoan, type OpenLoan } from "../borrow/borrow.rules.ts";
import { debtOfTeams } from "../borrow/debt.store.ts";
import { withStatus } from "../borrow/loan.store.ts";
import { rolesPlayed } from "../borrow/move.store.ts";
import { healthOf } from "../sprint/health.store.ts";
import { listSprints, teamsOfSprint } from "../sprint/sprint.store.ts";
import type { Facts, LastSprint, Need, TeamFacts } from "./facts.rules.ts";

/** What a round is about, as the server measures it (requirements CO-03, CO-06, CO-08, DE-02, DE-03). */
export async function gatherFacts(
  ctx: OperationContext,
  round: { readonly sprint: number; readonly before: RoundBefore | undefined },
): Promise<Facts> {
  const { coordination } = ctx.config;
  const lendable = await lendableAgents(ctx);
  const debts = new Map((await debtOfTeams(ctx)).map(({ team, debt }) => [team, debt]));
  const workedIn = await earlierHosts(ctx.db);
  const teams: TeamFacts[] = [];
  for (const { id } of ctx.config.teams) {
    const { sprint_points: _, sprint_done: __, ...health } = await healthOf(ctx, id);
    const able = lendable.get(id) ?? [];
    const known = able.filter((agent) => workedIn.has(agent));
    const worked = Object.fromEntries(known.map((agent) => [agent, workedIn.get(agent) ?? []]));
    const experience = known.length > 0 ? { worked_in: worked } : {};
    teams.push({ ...health, debt: debts.get(id) ?? 0, lendable: able, ...experience });
  }
  return {
    sprint: round.sprint,
    teams,
    needs: coordination.dependency_tracking ? await needsSince(ctx, round.before) : undefined,
    last: await lastResults(ctx.db),
    max_borrows: coordination.max_borrows_per_sprint,
    duration_sprints: coordination.borrow_duration_sprints,
  };
}

/** By team the agents that some other team could get now, by the very rules a loan is judged by; slots left aside. */
async function lendableAgents(ctx: OperationContext): Promise<Map<string, string[]>> {
  const { teams, coordination, models } = ctx.config;
  const rows = [...(await activeLoans(ctx.db, ctx.config)), ...(await withStatus(ctx.db, "requested"))];
  const loans = rows.map(
    (row): OpenLoan => ({ agent: row.agent, home: row.home_team, to: row.to_team, isActive: row.status === "active" }),
  );
  const found = new Map<string, string[]>();
  for (const { id: from } of teams) {
    const able: string[] = [];
    const members = membersOf(
      teams,
      loans.filter((loan) => loan.isActive),
      from,
    );
    for (const agent of members) {
      const archetype = models.agents?.[agent]?.role_archetype;
      const roles = [...(archetype === undefined ? [] : [archetype]), ...(await rolesPlayed(ctx.db, agent, from))];
      const staff = {
        teams,
        loans,
        grantedInSprint: 0,
        roles,
        maxPerSprint: 1,
        minTeamSize: coordination.min_team_size,
        protectedRoles: coordination.protected_roles,
      };
      const canGo = teams.some(({ id: to }) => {
        const judgement = judgeLoan({ agent, from, to }, staff);
        return judgement.ok && judgement.kind !== "home";
      });
      if (canGo) able.push(agent);
    }
    found.set(from, able);
  }
  return found;
}

/** By agent the teams it has worked in on loans that are over (requirement BO-12). */
async function earlierHosts(db: Kysely<Database>): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const { agent, to_team: team } of await hosts.all(db, {})) found.set(agent, [...(found.get(agent) ?? []), team]);
  return found;
}

const hosts = prepared((db) =>
  db
    .selectFrom("loan")
    .select(["agent", "to_team"])
    .distinct()
    .where("status", "=", sql.lit("returned"))
    .whereRef("last_sprint", ">=", "sprint_from")
    .orderBy("agent")
    .orderBy("to_team"),
);

const MOST_NEEDS = 200;

/** What the last round has seen, and when. */
export interface RoundBefore {
  readonly at: number;
  readonly needs: readonly Need[] | undefined;
}

/** Open needs, and those resolved since the round before; the oldest first. */
async function needsSince(ctx: OperationContext, before: RoundBefore | undefined): Promise<Need[]> {
  const seen = new Map((before?.needs ?? []).map(({ id, status }) => [id, status]));
  const rows = await needs.all(ctx.db, { since: before?.at ?? 0 });
  // one that was resolved in the very instant of the last round may have been told by it
  const news = rows.filter((row) => row.status === "open" || seen.get(row.key) !== row.status);
  return news.map((row): Need => {
    const isOpen = row.status === "open";
    const until = isOpen ? ctx.now : Number(row.resolved_at ?? ctx.now);
    return {
      id: row.key,
      task: row.task,
      team: row.team,
      needs_team: row.needs_team,
      type: row.type,
      status: row.status,
      needed_task: row.needed ?? undefined,
      open_ms: Math.max(0, until - Number(row.declared_at)),
      change: isOpen ? (seen.has(row.key) ? "open" : "new") : "resolved",
    };
  });
}

const needs = prepared((db, p: { since: number }) =>
  db
    .selectFrom("dependency")
    .innerJoin("task as waiting", "waiting.id", "dependency.task_id")
    .leftJoin("task as needed", "needed.id", "dependency.needed_task_id")
    .select([
      "dependency.key",
      "dependency.team",
      "dependency.needs_team",
      "dependency.type",
      "dependency.status",
      "dependency.declared_at",
      "dependency.resolved_at",
      "waiting.key as task",
      "needed.key as needed",
    ])
    .where((e) => e.or([e("dependency.status", "=", sql.lit("open")), e("dependency.resolved_at", ">=", p.since)]))
    .orderBy("dependency.id")
    .limit(sql.lit(MOST_NEEDS)),
);

async function lastResults(db: Kysely<Database>): Promise<LastSprint | undefined> {
  const last = (await listSprints(db, 2)).find((sprint) => sprint.ended_at !== null);
  if (!last) return undefined;
  const rows = await teamsOfSprint(db, Number(last.id));
  return { n: last.n, teams: rows.map(({ team, velocity, done }) => ({ team, velocity, done })) };
}
