import type { ProjectConfig } from "../../config/config.schema.ts";
import { detectGates, runGate } from "../unit/gate-run.ts";
import { held, missed, type RuleEntry, refused, type Sight } from "./rule-entry.ts";
import type { Scene } from "./scene.ts";
import { newestEvent } from "./trail.store.ts";

type Probe = NonNullable<RuleEntry["probe"]>;
type More = Partial<Pick<RuleEntry, "setting" | "adjust" | "offBy" | "onFailure" | "strict">>;

/** A rule that an operation holds in its transaction, whoever calls it and by whatever surface. */
export function rule(name: string, source: string, promise: string, probe: Probe, more: More = {}): RuleEntry {
  return {
    name,
    promise,
    place: "transaction",
    strict: true,
    source,
    offBy: "cannot be switched off",
    onFailure: "nothing is written: the transaction is undone",
    probe,
    ...more,
  };
}

/** Off where there is nobody to keep apart. */
export const oneTeam = (config: ProjectConfig) =>
  config.teams.length > 1 ? undefined : ({ state: "off", why: "there is one team" } as const);

const limit = (column: "in_progress" | "review") => (config: ProjectConfig) => {
  const isSet = [config, ...config.teams].some((each) => each.wip_limits?.[column] !== undefined);
  return isSet ? undefined : ({ state: "off", why: `no wip_limits.${column} is set` } as const);
};

/** The rules of the executor and of the operations, each with what must not be possible. */
export const workRules: readonly RuleEntry[] = [
  rule(
    "known-callers",
    "design §3",
    "Nobody writes whom the guard, the operating system or CI does not vouch for.",
    strangerProbe,
    { setting: identitySetting, offBy: "`identity: advisory` lets them write and records them as unverified" },
  ),
  rule("no-claimed-identity", "design §1.1", "No call says who makes it.", (scene) =>
    refused(
      "INVALID_INPUT",
      "an argument `actor`",
      scene.as(scene.lead, "task_create", { title: "Try an actor", actor: "ada" }),
    ),
  ),
  rule("one-holder", "design §6", "A task has one holder at a time.", async (scene) => {
    const { task } = await scene.holding();
    return refused("CONFLICT", "a second claim", scene.as(await scene.agent(task), "task_claim", { id: task }));
  }),
  rule("holders-only", "design §6", "Nobody closes or changes the state of what another holds.", async (scene) => {
    const { task } = await scene.holding();
    return refused(
      "FORBIDDEN",
      "closing another's task",
      scene.as(await scene.agent(task), "task_close", { id: task }),
    );
  }),
  rule("fencing", "design §6", "Who has lost a claim writes no more under it.", async (scene) => {
    const { task, agent, fence } = await scene.holding();
    await scene.as(agent, "task_update", { id: task, release: "canary" });
    await scene.as(agent, "task_claim", { id: task });
    return refused(
      "CONFLICT",
      "a write with the number of an earlier claim",
      scene.as(agent, "task_close", { id: task, fence }),
    );
  }),
  rule("readiness", "KB-05, TD-01", "Nothing starts before what it waits for.", async (scene) => {
    const first = await scene.task();
    const second = await scene.task({ blocked_by: [first] });
    return refused(
      "BLOCKED",
      "a claim of a task that waits",
      scene.as(await scene.agent(second), "task_claim", { id: second }),
    );
  }),
  rule("no-circles", "TD-08, DE-06", "No tasks wait for each other in a circle.", async (scene) => {
    const first = await scene.task();
    const second = await scene.task({ blocked_by: [first] });
    return refused(
      "RULE_VIOLATED",
      "a link that closes a circle",
      scene.as(scene.lead, "task_link", { id: first, target: second }),
    );
  }),
  rule("no-early-close", "design §6", "Nothing is done while what it waits for is open.", async (scene) => {
    const first = await scene.task();
    const second = await scene.task({ blocked_by: [first] });
    return refused("BLOCKED", "closing a task that waits", scene.as(scene.lead, "task_close", { id: second }));
  }),
  rule(
    "one-agent-one-task",
    "TC-05, KB-04",
    "No agent holds more tasks than `wip_limits.per_agent`, one unless set.",
    async (scene) => {
      const { agent } = await scene.holding();
      return refused(
        "OVER_LIMIT",
        "a claim beyond the limit",
        scene.as(agent, "task_claim", { id: await scene.task() }),
      );
    },
    { offBy: "`wip_limits.per_agent` raises it" },
  ),
  ...(["in_progress", "review"] as const).map((column) =>
    rule(
      `limit-${column.replace("_", "-")}`,
      "TC-05, KB-04",
      `No team has more tasks in ${column.replace("_", " ")} than its limit.`,
      (scene) => columnProbe(scene, column),
      {
        setting: limit(column),
        adjust: (config) => ({ ...config, wip_limits: { [column]: 1 } }),
        offBy: `no \`wip_limits.${column}\``,
      },
    ),
  ),
  rule(
    "own-board",
    "KB-01",
    "An agent works on its own team's board.",
    async (scene) => {
      const agent = await scene.agent(await scene.task());
      const other = await scene.task({ team: scene.config.teams[1]?.id });
      return refused("FORBIDDEN", "a claim on another team's board", scene.as(agent, "task_claim", { id: other }));
    },
    { setting: oneTeam, offBy: "holds where there are several `teams`" },
  ),
  rule(
    "task-quality",
    "TD-02, TD-06",
    "No task is made with a vague title, without criteria or without a scope.",
    (scene) => refused("RULE_VIOLATED", "a vague task", scene.as(scene.lead, "task_create", { title: "fix stuff" })),
    {
      strict: false,
      setting: ({ task_quality: level }) =>
        level === "strict" ? undefined : { state: level === "warn" ? "audit" : "off", why: `task_quality: ${level}` },
      adjust: (config) => ({ ...config, task_quality: "strict" }),
      offBy: "`task_quality: warn` or `off`",
    },
  ),
  rule("file-leases", "FO-04, C-13", "No two tasks have files in common on lease.", async (scene) => {
    const first = await scene.holding();
    const second = await scene.holding();
    const paths = [`${scene.session}/**`];
    await scene.as(first.agent, "file_lease", { task: first.task, paths });
    return refused(
      "CONFLICT",
      "a lease that overlaps another's",
      scene.as(second.agent, "file_lease", { task: second.task, paths }),
    );
  }),
  rule(
    "planned-runs",
    "EN-01, TD-02",
    "No run starts from tasks that say neither when they are done nor what they touch.",
    async (scene) => {
      const bare = await scene.task({ acceptance: undefined, scope: undefined });
      return refused(
        "RULE_VIOLATED",
        "a plan of a task without criteria",
        scene.as(scene.lead, "unit_plan", { tasks: [bare] }),
      );
    },
  ),
  rule("lead-judges", "FP-02", "Whoever does the work does not validate or commit it.", async (scene) => {
    const { unit, task } = await scene.unit();
    const agent = await scene.agent(task);
    const first = await refused(
      "FORBIDDEN",
      "unit_validate of an agent",
      scene.as(agent, "unit_validate", { unit: unit.key }),
    );
    if (!first.held) return first;
    const second = await refused("FORBIDDEN", "unit_commit", scene.as(agent, "unit_commit", { unit: unit.key }));
    return { held: second.held, proof: `${first.proof}; ${second.proof}` };
  }),
  rule("gates-block", "FP-02, FP-03", "No unit goes on over a gate that fails, hangs or is not there.", gateProbe, {
    setting: ({ gates }) =>
      gates?.length === 0 ? { state: "off", why: "gates: [] says that there are none" } : undefined,
    offBy: "`gates: []`",
    onFailure: "the gate has failed",
  }),
  rule(
    "commit-after-pass",
    "FP-01, AR-04",
    "No unit is committed before a fresh reviewer has passed its diff.",
    async (scene) => {
      const { unit } = await scene.unit("review");
      return refused(
        "RULE_VIOLATED",
        "unit_commit before the verdict",
        scene.as(scene.lead, "unit_commit", { unit: unit.key }),
      );
    },
  ),
  rule(
    "close-after-pass",
    "FP-01, FP-15",
    "The task of a unit closes with the reviewed commit and not before.",
    async (scene) => {
      const { task } = await scene.unit("review");
      return refused("RULE_VIOLATED", "task_close of a unit's task", scene.as(scene.lead, "task_close", { id: task }));
    },
  ),
  rule("people-approve", "FP-08", "A checkpoint is answered by a person alone.", async (scene) => {
    const title = `May ${scene.session} go on?`;
    const { checkpoint } = await scene.as(scene.lead, "checkpoint_request", { title, kind: "named" });
    const id = String((checkpoint as { id?: unknown }).id ?? "");
    return refused("FORBIDDEN", "checkpoint_approve of a lead", scene.as(scene.lead, "checkpoint_approve", { id }));
  }),
  rule("people-settle", "FP-09, RE-06", "What was escalated to a person is settled by a person.", async (scene) => {
    const { escalation } = await scene.as(scene.lead, "escalation_raise", { reason: "The canary asks." });
    const id = String((escalation as { id?: unknown }).id ?? "");
    const input = { id, decision: "override", note: "The canary says so." };
    return refused("FORBIDDEN", "escalation_resolve of a lead", scene.as(scene.lead, "escalation_resolve", input));
  }),
  rule("channels", "MB-01, TZ-03", "Nobody writes to a channel they have no business on.", async (scene) => {
    const agent = await scene.agent(await scene.task());
    const input = { to: "coordination", text: "The canary sings." };
    return refused("FORBIDDEN", "message_send of an agent to coordination", scene.as(agent, "message_send", input));
  }),
  rule(
    "every-write-in-the-trail",
    "design §4",
    "Every change leaves events that say who, what and when, in the same transaction.",
    async (scene) => {
      const task = await scene.task();
      const event = await scene.write((ctx) => newestEvent(ctx.db));
      const isThere = event?.subject === task && event.actor === scene.lead.key;
      return isThere ? held("a new task: its event is there") : missed("a new task: it has no event");
    },
  ),
];

function identitySetting({ identity }: ProjectConfig) {
  return identity === "advisory"
    ? ({ state: "audit", why: "identity: advisory; such writes are recorded as unverified" } as const)
    : undefined;
}

/** Where nothing is set the place decides: strict inside the client and at the command line, advisory elsewhere. */
async function strangerProbe(scene: Scene): Promise<Sight> {
  const attempt = scene.as(scene.stranger, "task_create", { title: "Sneak in a canary" });
  const sight = await refused("FORBIDDEN", "a write of an unverified caller", attempt);
  return { ...sight, isChosen: scene.config.identity === undefined };
}

async function columnProbe(scene: Scene, column: "in_progress" | "review") {
  const first = await scene.task();
  const second = await scene.task();
  const agents = [await scene.agent(first), await scene.agent(second)] as const;
  const move = async (index: 0 | 1, id: string) => {
    await scene.as(agents[index], "task_claim", { id });
    if (column === "review") await scene.as(agents[index], "board_move", { id, to: "review" });
  };
  // a busy board is over the stage's limit at once, which shows the same
  const both = move(0, first).then(() => move(1, second));
  return refused("OVER_LIMIT", `one more in ${column.replace("_", " ")} than the limit`, both);
}

async function gateProbe({ config, stage }: Scene): Promise<Sight> {
  const run = async (command: string | string[]) => {
    const gate = { name: "canary", command, timeout_seconds: 10 };
    return (await runGate(gate, config.root, stage.runtime.now)).result;
  };
  const results = [await run("exit 3"), await run(["teamwright-canary-gate"])];
  const known = (config.gates ?? detectGates(config.root)).map((gate) => gate.name).join(", ");
  const proof = `a command that ends with 3: ${results[0]}; one that is not there: ${results[1]}; gates here: ${known || "none known, so unit_validate refuses"}`;
  return results[0] === "failed" && results[1] === "missing" ? held(proof) : missed(proof);
}
