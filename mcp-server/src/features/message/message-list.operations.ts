import * as z from "zod";
import { teamOfAgent } from "../../config/config.schema.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { type AgentRow, agentPrincipal, liveAgents } from "../agent/agent.store.ts";
import { openRuns } from "../run/run.store.ts";
import { reviewerRole } from "./message.rules.ts";
import { messageKinds, shownMessage } from "./message.schema.ts";
import { countOpen, keysOfMessages, listMessages } from "./message.store.ts";
import { referredIds, toShown } from "./message.view.ts";
import { readerOf, unreadOf } from "./reader.store.ts";

export const messageList = defineOperation({
  name: "message_list",
  description:
    "Messages: the log of all channels and agents, newest last, with filters, who still has unread ones and how many questions and blockers nobody has settled. Marks nothing as read.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({
    channel: z.string().max(100).optional().describe("team:<id>, portfolio or coordination."),
    from: z.string().max(100).optional().describe("Name of the sender."),
    to: z.string().max(100).optional(),
    kind: z.enum(messageKinds).optional(),
    task: z.string().max(100).optional().describe("Task id."),
    open: z.boolean().optional().describe("Only questions and blockers that nobody has settled."),
    limit: z.number().int().min(1).max(1000).optional(),
    offset: z.number().int().min(0).optional(),
  }),
  output: z.object({
    total: z.number(),
    messages: z.array(shownMessage),
    open: z.number(),
    readers: z.array(z.object({ name: z.string(), team: z.string().optional(), unread: z.number() })),
    truncated: z.boolean().optional(),
  }),
  async run(ctx, input) {
    const { limit = 50, offset = 0, ...filter } = input;
    const { rows, total } = await listMessages(ctx.db, { ...filter, limit, offset });
    const keys = await keysOfMessages(ctx.db, referredIds(rows));
    return {
      total,
      messages: rows.map((row) => toShown(row, keys)),
      open: await countOpen(ctx.db),
      readers: await readersWithUnread(ctx),
      ...(offset + rows.length < total ? { truncated: true } : {}),
    };
  },
  render(output, view) {
    const rows = output.messages.map((message) => [
      view.paint("cyan", message.id),
      message.at.slice(0, 19),
      message.kind,
      plainLine(message.from, 24),
      plainLine(message.to, 24),
      message.task ?? "",
      plainLine(message.text, 60),
    ]);
    return [
      rows.length === 0 ? "No messages." : view.table(["id", "at", "kind", "from", "to", "task", "text"], rows),
      ...(output.truncated ? [`${rows.length} of ${output.total} shown`] : []),
      ...(output.open > 0
        ? [view.paint("yellow", `${output.open} open: questions and blockers nobody has settled`)]
        : []),
      ...output.readers.map(
        ({ name, team, unread }) => `${plainLine(name, 40)}${team ? ` (${team})` : ""}: ${unread} unread`,
      ),
    ].join("\n");
  },
});

/** Living agents and their leads, and those of open runs, that have not read everything (requirements MB-03, MB-08). */
async function readersWithUnread(ctx: OperationContext) {
  const runs = (await openRuns(ctx.db)).flatMap(({ session, name }) => (session === null ? [] : [{ session, name }]));
  const alive = (await liveAgents(ctx.db)).filter((row) => row.role !== reviewerRole);
  const led = new Map([...teamsLed(ctx, alive), ...runs.map(({ session, name }) => [session, name] as const)]);
  const leads = [...led].map(([session, name]) => asLead(session, name));
  const agents = alive.map(agentPrincipal);
  const readers = [];
  for (const principal of [...leads, ...agents]) {
    const { total } = await unreadOf(ctx.db, await readerOf(ctx, principal), 1);
    const team = "team" in principal ? principal.team : undefined;
    if (total > 0) readers.push({ name: principal.name, ...(team ? { team } : {}), unread: total });
  }
  return readers;
}

const asLead = (session: string, name: string) =>
  ({ kind: "lead", key: `lead:${session}`, name: `lead of ${name}`, session }) as const;

/** Sessions that have agents of one of several teams, each with the teams' names. */
function teamsLed({ config }: OperationContext, alive: readonly AgentRow[]): Map<string, string> {
  const led = new Map<string, string>();
  if (config.teams.length < 2) return led;
  for (const { session, name } of alive.toReversed()) {
    const team = name === null ? undefined : teamOfAgent(config, name);
    const before = led.get(session);
    if (team !== undefined && !before?.split(", ").includes(team))
      led.set(session, before === undefined ? team : `${before}, ${team}`);
  }
  return led;
}
