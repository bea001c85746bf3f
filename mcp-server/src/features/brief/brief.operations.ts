import * as z from "zod";
import { fenceText, plainLine } from "../../kernel/fence.ts";
import { defineOperation } from "../../kernel/operation.ts";
import { renderPair, shownPair } from "../bridge/bridge.view.ts";
import { shownCheckpoint } from "../checkpoint/checkpoint.schema.ts";
import { shownEscalation } from "../escalation/escalation.schema.ts";
import { taskBrief } from "../task/task.schema.ts";
import { renderBriefs } from "../task/task.view.ts";
import { type HeldUnit, heldUnit, renderRun, runBrief } from "../unit/unit.view.ts";
import { composeBrief } from "./brief.store.ts";
import { holderSteps, leadSteps } from "./next.rules.ts";
import { renderWaiting } from "./waiting.view.ts";

const who = z.object({ name: z.string(), role: z.string().optional(), team: z.string().optional() });

export const briefShow = defineOperation({
  name: "brief_show",
  description:
    "Where do I stand: who you are, what you hold, what is ready, in progress, blocked, board totals, other agents, waits between teams. The call to make first, and after a restart or compaction.",
  kind: "read",
  mcp: "core",
  input: z.strictObject({}),
  output: z.object({
    you: who.extend({ kind: z.string(), generation: z.number().optional() }),
    holding: z.array(taskBrief.extend({ lease_expires_at: z.string().optional(), unit: heldUnit.optional() })),
    ready: z.array(taskBrief),
    ready_total: z.number(),
    in_progress: z.array(taskBrief),
    blocked: z.array(taskBrief),
    finished_epics: z.array(taskBrief),
    boards: z.array(
      z.object({
        team: z.string(),
        backlog: z.number(),
        ready: z.number(),
        in_progress: z.number(),
        review: z.number(),
        done: z.number(),
      }),
    ),
    agents: z.array(who),
    waits: z.array(
      z.object({ id: z.string(), team: z.string(), needs_team: z.string(), type: z.string(), task: z.string() }),
    ),
    circles: z.array(z.object({ teams: z.array(z.string()), deadlock: z.boolean() })),
    waiting: z
      .object({
        checkpoints: z.array(shownCheckpoint),
        checkpoints_total: z.number(),
        escalations: z.array(shownEscalation),
        escalations_total: z.number(),
      })
      .optional()
      .describe("Pending checkpoints and open escalations, for the lead and for people."),
    messages: z
      .object({ unread: z.number(), cut: z.array(z.string()) })
      .optional()
      .describe("Unread ones, and ids of those shown in part."),
    runs: z.array(runBrief).optional().describe("Open runs with their units, for the lead and for people."),
    client_tasks: z
      .object({ differing: z.number(), pairs: z.array(shownPair) })
      .optional()
      .describe("Where the client's own list differs, for the lead and for people."),
    next: z.array(z.string()),
  }),
  async run(ctx) {
    const brief = await composeBrief(ctx, ctx.principal);
    const { session } = ctx.principal;
    const own = session === undefined ? undefined : brief.runs?.find((run) => run.session === session);
    const held = holderSteps(brief.holding);
    const next = own
      ? [...held.filter((step) => step === "unit_submit"), ...leadSteps(own, brief.blocked.length)]
      : held.length > 0
        ? held
        : brief.ready_total > 0
          ? ["task_claim", "task_ready"]
          : ["task_list", "task_create"];
    return { ...brief, next: brief.messages ? [...next, "message_inbox"] : next };
  },
  render(output, view) {
    const { you } = output;
    const lines = [
      `You are ${view.paint("bold", you.name)} (${[you.kind, you.role, you.team && `team ${you.team}`].filter(Boolean).join(", ")}).`,
    ];
    const section = (head: string, tasks: typeof output.ready) => {
      if (tasks.length > 0) lines.push(view.paint("bold", head), renderBriefs(tasks, view));
    };
    section("You hold:", output.holding);
    for (const { unit } of output.holding) if (unit) lines.push(...renderHeld(unit));
    section(`Ready (${output.ready_total}):`, output.ready);
    section("In progress:", output.in_progress);
    section("Blocked:", output.blocked);
    section("All parts closed, for the lead to close:", output.finished_epics);
    for (const board of output.boards)
      lines.push(
        `Team ${board.team}: ${board.backlog} backlog, ${board.ready} ready, ${board.in_progress} in progress, ${board.review} in review, ${board.done} done`,
      );
    if (output.agents.length > 0)
      lines.push(`Agents: ${output.agents.map((agent) => plainLine(agent.name, 40)).join(", ")}`);
    for (const wait of output.waits)
      lines.push(`${wait.task}: team ${wait.team} waits for team ${wait.needs_team} (${wait.type})`);
    for (const { teams, deadlock } of output.circles)
      lines.push(view.paint("red", `${deadlock ? "Deadlock" : "Circle"} between ${teams.join(", ")}`));
    if (output.client_tasks) {
      lines.push(view.paint("bold", `The client's list differs (${output.client_tasks.differing}):`));
      lines.push(...output.client_tasks.pairs.map((pair) => renderPair(pair, view)));
    }
    if (output.messages) lines.push(...renderMessages(output.messages));
    for (const run of output.runs ?? []) lines.push(renderRun(run, view));
    lines.push(...renderWaiting(output.waiting, view), view.next(output.next));
    return lines.join("\n");
  },
});

function renderHeld({ id, phase, attempt, failed, decided }: HeldUnit): string[] {
  const how = phase === "implement" ? "; unit_submit hands it in" : "";
  return [
    `${id} ${phase}, attempt ${attempt}${how}`,
    ...(failed ? [fenceText(`why attempt ${failed.attempt} failed`, failed.text)] : []),
    ...(decided ? [fenceText(`decided by ${plainLine(decided.by, 60)}: ${decided.decision}`, decided.note)] : []),
  ];
}

function renderMessages({ unread, cut }: { unread: number; cut: readonly string[] }): string[] {
  return [
    ...(unread > 0 ? [`Unread messages: ${unread} (message_inbox)`] : []),
    ...(cut.length > 0 ? [`Shown in part: ${cut.join(", ")} (message_inbox with the id)`] : []),
  ];
}
