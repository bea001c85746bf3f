import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ProjectConfig } from "../../config/config.schema.ts";
import { isCoordinated } from "../../config/practices.rules.ts";
import { CONFIG_FILE } from "../../config/project-root.ts";
import type { Principal } from "../../kernel/principal.ts";
import { findAgent } from "../agent/agent.store.ts";
import { grant, insertLoan } from "../borrow/loan.store.ts";
import { changeRound, insertRound, type RoundRow } from "../coordination/round.store.ts";
import { changeReview, insertReview } from "../review/review.store.ts";
import { insertReport, insertTag } from "../tag/tag.store.ts";
import { findTaskByKey } from "../task/task.store.ts";
import { held, missed } from "./rule-entry.ts";
import { denied, type Scene, told } from "./scene.ts";

export const CLIENT_TASK = "9001";

export function bridgeSetting({ bridge }: ProjectConfig) {
  return bridge === "on" ? undefined : ({ state: "off", why: "bridge: off" } as const);
}

export function makeClientTask(scene: Scene) {
  return scene.hook("PostToolUse", {
    tool_name: "TaskCreate",
    tool_use_id: `toolu_${scene.session}`,
    tool_input: JSON.stringify({ subject: `Try the bridge of ${scene.session}` }),
    tool_response: JSON.stringify({ task: { id: CLIENT_TASK } }),
  });
}

export function ownershipSetting({ ownership_mode: mode }: ProjectConfig) {
  if (mode === "off")
    return { state: "off", why: "ownership_mode: off; protected files are refused all the same" } as const;
  return mode === "warn"
    ? ({ state: "audit", why: "ownership_mode: warn; protected files are refused" } as const)
    : undefined;
}

/** The file where there is one: an agent may set up the project without it. */
export async function configurationProbe(scene: Scene) {
  const hasFile = existsSync(join(scene.config.root, CONFIG_FILE));
  const file_path = join(scene.config.root, hasFile ? CONFIG_FILE : ".teamwright/canary");
  const answer = await scene.before("Write", { file_path, content: "" }, await scene.agent());
  if (hasFile) return denied("an agent's Write of teamwright.yaml", answer, /no agent writes it/);
  return denied("an agent's Write of the store", answer, /store under \.teamwright/);
}

/** A protected file, and one that another has on lease. */
export async function fileProbe(scene: Scene) {
  await scene.run();
  const { task, agent } = await scene.holding();
  const edit = (path: string, by: Principal) =>
    scene.before("Edit", { file_path: join(scene.config.root, path), old_string: "a", new_string: "b" }, by);
  const protection = denied("an Edit of a protected file", await edit("canary/.env", agent), /is protected/);
  if (!protection.held) return protection;
  const row = await scene.write((ctx) => findTaskByKey(ctx.db, task));
  const path = row?.scope[0]?.replace("**", "file") ?? "";
  const answer = await edit(path, await scene.agent(task));
  return denied("an Edit of a protected file and of one that another has on lease", answer, /is leased to/);
}

export async function spawnProbe(scene: Scene) {
  const call = { name: "canary", subagent_type: "teamwright:builder", description: "x", prompt: "x" };
  const asked = { tool_name: "Agent", tool_use_id: `toolu_${scene.session}`, tool_input: JSON.stringify(call) };
  await scene.hook("PreToolUse", asked);
  await scene.hook("PostToolUse", { ...asked, tool_response: JSON.stringify({ agentId: scene.session }) });
  const row = await scene.write((ctx) => findAgent(ctx.db, scene.session));
  return row?.name === "canary" && row.role === "builder"
    ? held("an Agent call: its agent is known by name and role")
    : missed("an Agent call: its agent is not known");
}

export async function verdictProbe(scene: Scene) {
  const { unit } = await scene.unit("review");
  const reviewer = await scene.agent(undefined, "adversarial-reviewer");
  await scene.write(async (ctx) => {
    const draft = { key: ctx.newKey("rv"), unit_id: unit.id, attempt: 1, diff_hash: "canary", packet: "canary" };
    const review = await insertReview(ctx, draft);
    await changeReview(ctx, review.id, { status: "taken", tool_use_id: `toolu_${reviewer.agentId}` });
  });
  const answer = await scene.hook("SubagentStop", { last_assistant_message: "Looks good to me." }, reviewer);
  return denied("a verdict without evidence", answer, /is no verdict/);
}

export async function tagProbe(scene: Scene) {
  const run = await scene.run();
  await scene.write(async (ctx) => {
    const report = await insertReport(ctx, {
      agent_id: "canary",
      agent_name: "canary",
      run_id: Number(run.id),
      task_key: null,
      status: null,
      text: "",
      findings: "[]",
      malformed: 0,
    });
    await insertTag(ctx, report, { kind: "BLOCKER", target: null, text: "canary" });
  });
  return denied("a lead that stops over an open tag", await scene.hook("Stop"), /not routed/);
}

/** An agent is lent while it is at work. */
export async function loanProbe(scene: Scene) {
  const { agent } = await scene.holding();
  const [from, to] = scene.config.teams;
  if (!from || !to) return missed("there is one team");
  // the guard looks at places once, and no team of the project lists this agent
  await scene.before("Bash", { command: "true" }, agent);
  await scene.write(async (ctx) => {
    const loan = await insertLoan(ctx, { agent: agent.name, from: from.id, to: to.id, reason: "canary" }, 1);
    await grant(ctx, loan, 1);
  });
  const answer = await scene.before("Bash", { command: "true" }, agent);
  return told("an agent that was lent", answer, `lent to team ${to.id}`);
}

export function mergeSetting({ units }: ProjectConfig) {
  return units.merge === "agents" ? ({ state: "off", why: "units.merge: agents" } as const) : undefined;
}

export function coordinationSetting(config: ProjectConfig) {
  return isCoordinated(config) ? undefined : ({ state: "off", why: "teams are not coordinated" } as const);
}

/** A round before any sprint, which none of the project's can be. */
export function openRound(scene: Scene): Promise<RoundRow> {
  const facts = { sprint: 0, teams: [], needs: undefined, last: undefined, max_borrows: 0, duration_sprints: 1 };
  const seen = { ...facts, returned: [] };
  return scene.write((ctx) =>
    insertRound(ctx, { kind: "full", sprint: 0, stepId: undefined, deadline: undefined, seen }),
  );
}

export async function planProbe(scene: Scene) {
  const round = await openRound(scene);
  const planner = await scene.agent(undefined, "enablement-lead");
  const change = { status: "evaluated", plan_call: `toolu_${planner.agentId}` };
  await scene.write((ctx) => changeRound(ctx, round, change));
  const answer = await scene.hook("SubagentStop", { last_assistant_message: "Looks good to me." }, planner);
  return denied("a plan without an action", answer, /no line BORROW/);
}
