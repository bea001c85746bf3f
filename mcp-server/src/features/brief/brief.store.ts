import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { liveAgents } from "../agent/agent.store.ts";
import { readCounts } from "../board/board.store.ts";
import { type ClientTasks, differencesFor } from "../bridge/differences.store.ts";
import { circlesNow } from "../dependency/wait-circle.store.ts";
import { shownInPart } from "../message/partly.store.ts";
import { readerOf, unreadOf } from "../message/reader.store.ts";
import { heldBy } from "../task/claim.store.ts";
import { readyTasks } from "../task/ready.store.ts";
import type { Task, TaskBrief } from "../task/task.schema.ts";
import { rowToTask } from "../task/task.store.ts";
import { compact, toBrief } from "../task/task.view.ts";
import { heldUnit, openRunBriefs } from "../unit/overview.store.ts";
import type { HeldUnit, RunBrief } from "../unit/unit.view.ts";
import { type Waiting, whatWaits } from "./waiting.store.ts";

type Held = TaskBrief & { lease_expires_at?: string; unit?: HeldUnit };

export interface Brief {
  you: { name: string; kind: string; role?: string; team?: string; generation?: number };
  holding: Held[];
  ready: TaskBrief[];
  ready_total: number;
  in_progress: TaskBrief[];
  blocked: TaskBrief[];
  /** Epics all of whose parts are closed: somebody has to look at the whole and close it. */
  finished_epics: TaskBrief[];
  boards: { team: string; backlog: number; ready: number; in_progress: number; review: number; done: number }[];
  agents: { name: string; role?: string; team?: string }[];
  waits: { team: string; needs_team: string; task: string; id: string; type: string }[];
  circles: { teams: string[]; deadlock: boolean }[];
  /** For the lead and for people. */
  waiting?: Waiting;
  runs?: RunBrief[];
  /** What a lead or an agent has not been shown, or the beginning of it only. */
  messages?: { unread: number; cut: string[] };
  /** Where the client's own list and the tasks here differ, for the lead and for people. */
  client_tasks?: ClientTasks;
}

const MOST = 5;

/** Where the principal stands: everything it needs after a restart, in a bounded answer (design §1.4). */
export async function composeBrief(ctx: OperationContext, principal: Principal): Promise<Brief> {
  const { team } = principal;
  const held = await heldBy(ctx.db, principal.key);
  const ready = await readyTasks(ctx.db, { team, forName: principal.kind === "agent" ? principal.name : undefined })
    .selectAll("task")
    .orderBy("ready_prio")
    .orderBy("created_at")
    .orderBy("id")
    .limit(MOST)
    .execute();
  const counts = await readCounts(ctx.db, team);
  const boards = ctx.config.teams
    .filter((candidate) => team === undefined || candidate.id === team)
    .map(({ id }) => {
      const n = counts.get(id) ?? {};
      return {
        team: id,
        backlog: n.backlog ?? 0,
        ready: n.ready ?? 0,
        in_progress: n.in_progress ?? 0,
        review: n.review ?? 0,
        done: n.done ?? 0,
      };
    });
  const agents = await liveAgents(ctx.db, team);
  const waiting = await whatWaits(ctx, principal);
  const clientTasks = await differencesFor(ctx, principal);
  const messages = await messagesFor(ctx, principal);
  const runs = principal.kind === "agent" ? [] : await openRunBriefs(ctx.db);
  return {
    you: compact({
      name: principal.name,
      kind: principal.kind,
      role: principal.role,
      team,
      generation: principal.generation,
    }) as Brief["you"],
    holding: await Promise.all(held.map((task) => shownHeld(ctx, task))),
    ready: ready.map((row) => toBrief(rowToTask(row))),
    ready_total: boards.reduce((sum, board) => sum + board.ready, 0),
    in_progress: await listWhere(ctx, [...counts.keys()], "in_progress"),
    blocked: await listWhere(ctx, [...counts.keys()], "blocked"),
    finished_epics: await finishedEpics(ctx, team),
    boards,
    agents: agents
      .filter((row) => row.agent_id !== principal.agentId && row.session === (principal.session ?? row.session))
      .slice(0, 20)
      .map(
        (row) =>
          compact({
            name: row.name ?? row.role ?? row.agent_id.slice(0, 8),
            role: row.role ?? undefined,
            team: row.team ?? undefined,
          }) as Brief["agents"][number],
      ),
    waits: await openWaits(ctx, team),
    circles: await circlesNow(ctx),
    ...(waiting ? { waiting } : {}),
    ...(messages ? { messages } : {}),
    ...(runs.length > 0 ? { runs } : {}),
    ...(clientTasks ? { client_tasks: clientTasks } : {}),
  };
}

async function shownHeld(ctx: OperationContext, task: Task): Promise<Held> {
  const unit = await heldUnit(ctx.db, task.id);
  return {
    ...toBrief(task),
    ...(task.leaseExpiresAt === null ? {} : { lease_expires_at: new Date(task.leaseExpiresAt).toISOString() }),
    ...(unit ? { unit } : {}),
  };
}

async function messagesFor(ctx: OperationContext, principal: Principal): Promise<Brief["messages"]> {
  if (principal.kind !== "lead" && principal.kind !== "agent") return undefined;
  const reader = await readerOf(ctx, principal);
  const { total: unread } = await unreadOf(ctx.db, reader, 1, { directOnly: !reader.isMember });
  const cut = (await shownInPart(ctx.db, reader)).slice(-MOST * 2);
  return unread + cut.length > 0 ? { unread, cut } : undefined;
}

async function listWhere(
  ctx: OperationContext,
  teams: readonly string[],
  what: "in_progress" | "blocked",
): Promise<TaskBrief[]> {
  if (teams.length === 0) return [];
  let query = ctx.db.selectFrom("task").selectAll();
  query =
    what === "blocked"
      ? query.where("blocked_since", "is not", null).where("status", "!=", "closed")
      : query.where("status", "in", ["in_progress", "in_review"]);
  const rows = await query
    .where("team", "in", teams) // named even when all are meant: the index begins with the team
    .orderBy("priority")
    .orderBy("id")
    .limit(MOST * 2)
    .execute();
  return rows.map((row) => toBrief(rowToTask(row)));
}

async function finishedEpics(ctx: OperationContext, team: string | undefined): Promise<TaskBrief[]> {
  let query = ctx.db.selectFrom("task").selectAll().where("epic_prio", "is not", null).where("closed_children", ">", 0);
  if (team !== undefined) query = query.where("team", "=", team);
  const rows = await query.orderBy("epic_prio").orderBy("id").limit(MOST).execute();
  return rows.map((row) => toBrief(rowToTask(row)));
}

async function openWaits(ctx: OperationContext, team: string | undefined): Promise<Brief["waits"]> {
  let query = ctx.db
    .selectFrom("dependency")
    .innerJoin("task", "task.id", "dependency.task_id")
    .select(["dependency.key", "dependency.team", "dependency.needs_team", "dependency.type", "task.key as task"])
    .where("dependency.status", "=", "open")
    .where("task.status", "!=", "closed");
  if (team !== undefined)
    query = query.where((e) => e.or([e("dependency.team", "=", team), e("dependency.needs_team", "=", team)]));
  const rows = await query
    .orderBy("dependency.id")
    .limit(MOST * 2)
    .execute();
  return rows.map((row) => ({
    id: row.key,
    team: row.team,
    needs_team: row.needs_team,
    type: row.type,
    task: row.task,
  }));
}
