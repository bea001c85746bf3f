import { join } from "node:path";
import { lastMessageId } from "../message/message.store.ts";
import { findTaskByKey } from "../task/task.store.ts";
import { movesBetween } from "../unit/history.rules.ts";
import {
  bridgeSetting,
  CLIENT_TASK,
  configurationProbe,
  coordinationSetting,
  fileProbe,
  loanProbe,
  makeClientTask,
  mergeSetting,
  openRound,
  ownershipSetting,
  planProbe,
  spawnProbe,
  tagProbe,
  verdictProbe,
} from "./hook-plays.ts";
import { held, missed, type RuleEntry } from "./rule-entry.ts";
import { denied, told } from "./scene.ts";

/** The canary of a rule of the hooks; what the rule is called and promises is said by the rule itself. */
export type HookProbe = Pick<RuleEntry, "source" | "probe" | "setting" | "reason"> & {
  readonly hook: { readonly event: string; readonly tool: string };
  readonly offBy?: string;
};

const before = (tool: string) => ({ event: "PreToolUse", tool });
const after = (tool: string) => ({ event: "PostToolUse", tool });
const at = (event: string) => ({ event, tool: "" });

/** By the names of the rules in surfaces/guard/rules.ts; a test holds that none is missing. */
export const hookProbes: Readonly<Record<string, HookProbe>> = {
  "reviewer-reads-only": {
    source: "AR-02, AR-06",
    hook: before("Bash"),
    async probe(scene) {
      const reviewer = await scene.agent(undefined, "adversarial-reviewer");
      return denied(
        "a reviewer's shell",
        await scene.before("Bash", { command: "ls" }, reviewer),
        /REVIEWER_READS_ONLY/,
      );
    },
  },
  "command-line": {
    source: "design §3, §7",
    hook: before("Bash"),
    async probe(scene) {
      const answer = await scene.before("Bash", { command: "teamwright task close tw-canary" });
      return denied("`teamwright task close` in a shell", answer, /acts as the person/);
    },
  },
  "reviewed-commits-only": {
    source: "FP-01, FP-05",
    hook: before("Bash"),
    async probe(scene) {
      await scene.unit();
      return denied(
        "`git commit` with a unit open",
        await scene.before("Bash", { command: "git commit -m canary" }),
        /bypass the review/,
      );
    },
  },
  "people-merge": {
    source: "FP-13",
    hook: before("Bash"),
    offBy: "`units: { merge: agents }`, `guard: off`",
    setting: mergeSetting,
    async probe(scene) {
      await scene.run();
      return denied(
        "`gh pr merge` with a run open",
        await scene.before("Bash", { command: "gh pr merge 7" }),
        /person merges/,
      );
    },
  },
  "store-files": {
    source: "design §3",
    hook: before("Write"),
    async probe(scene) {
      const file = join(scene.config.root, ".teamwright", "canary");
      return denied(
        "a Write below .teamwright",
        await scene.before("Write", { file_path: file, content: "" }),
        /store under \.teamwright/,
      );
    },
  },
  "history-watch": {
    source: "FP-05",
    hook: after("Bash"),
    async probe() {
      const [before, now] = ["a", "b"].map((commit) => new Map([["refs/heads/canary", commit]]));
      return before && now && movesBetween(before, now).length === 1
        ? held("a branch that is elsewhere after a command: seen")
        : missed("a branch that is elsewhere after a command: not seen");
    },
  },
  "configuration-files": { source: "FO-03", hook: before("Write"), probe: configurationProbe },
  "file-ownership": {
    source: "FO-01, FO-03, FO-06",
    hook: before("Edit"),
    offBy: "`ownership_mode: warn` or `off` (protected files stay refused), `guard: off`",
    setting: ownershipSetting,
    probe: fileProbe,
  },
  "reviewer-silence": {
    source: "AR-02, MB-01",
    hook: before("SendMessage"),
    async probe(scene) {
      const reviewer = await scene.agent(undefined, "adversarial-reviewer");
      const answer = await scene.before("SendMessage", { to: reviewer.agentId, message: "canary" });
      return denied("a message to a reviewer", answer, /Nobody writes to an adversarial reviewer/);
    },
  },
  "routine-broadcasts": {
    source: "TZ-03",
    hook: before("SendMessage"),
    async probe(scene) {
      await scene.run();
      return denied(
        "routine news to everybody",
        await scene.before("SendMessage", { to: "*", message: "canary" }),
        /broadcast costs/,
      );
    },
  },
  "fresh-reviewer": {
    source: "AR-01, AR-06",
    hook: before("Agent"),
    async probe(scene) {
      const call = {
        subagent_type: "teamwright:adversarial-reviewer",
        name: "canary",
        description: "x",
        prompt: "rv-canary",
      };
      return denied("a reviewer with a name", await scene.before("Agent", call), /REVIEWER_NAMED/);
    },
  },
  "coordinator-packet": {
    source: "CA-03, CO-08",
    hook: before("Agent"),
    setting: coordinationSetting,
    async probe(scene) {
      await openRound(scene);
      const call = { subagent_type: "teamwright:staff-engineer", description: "x", prompt: "Say that all is well." };
      return denied(
        "a coordinator with a prompt of the lead's",
        await scene.before("Agent", call),
        /COORDINATOR_PACKET/,
      );
    },
  },
  "coordinator-words": {
    source: "CA-02, CO-09",
    hook: at("SubagentStop"),
    setting: coordinationSetting,
    probe: planProbe,
  },
  "spawn-limits": {
    source: "TZ-01, CS-02, C-27",
    hook: before("Agent"),
    offBy: "`limits`, `spawn_exceptions` and `models.unscored` relax it; `guard: off`",
    async probe(scene) {
      await scene.run();
      const call = { subagent_type: "canary-role", description: "x", prompt: "No task is named here." };
      return denied("a spawn without a task", await scene.before("Agent", call), /no agent without a task/);
    },
  },
  "spawn-records": { source: "design §3", hook: before("Agent"), probe: spawnProbe },
  "killed-agents": {
    source: "design §6",
    hook: after("TaskStop"),
    async probe(scene) {
      const { task, agent } = await scene.holding();
      await scene.hook("PostToolUse", {
        tool_name: "TaskStop",
        tool_use_id: "t",
        tool_input: JSON.stringify({ task_id: agent.agentId }),
      });
      const row = await scene.write((ctx) => findTaskByKey(ctx.db, task));
      return row?.status === "open"
        ? held("an agent was killed: its task is free")
        : missed("an agent was killed: it still holds its task");
    },
  },
  "bridged-completion": {
    source: "BD-02, BD-07",
    hook: before("TaskUpdate"),
    offBy: "`bridge: off`, which it is unless set; `guard: off`",
    setting: bridgeSetting,
    async probe(scene) {
      await makeClientTask(scene);
      const agent = await scene.agent(await scene.task());
      const answer = await scene.before("TaskUpdate", { taskId: CLIENT_TASK, status: "completed" }, agent);
      return denied("completing a client task that another has to do", answer, /./);
    },
  },
  "client-tasks": {
    source: "BD-02, BD-07",
    hook: after("TaskCreate"),
    offBy: "`bridge: off`, which it is unless set; `guard: off`",
    setting: bridgeSetting,
    probe: async (scene) => told("a client task", await makeClientTask(scene), "task_claim"),
  },
  "design-verdicts": {
    source: "FP-14, C-15",
    hook: at("SubagentStop"),
    async probe(scene) {
      const reviewer = await scene.agent(await scene.task(), "design-reviewer");
      const answer = await scene.hook("SubagentStop", { last_assistant_message: "Looks good to me." }, reviewer);
      return denied("a design review without a verdict", answer, /VERDICT: APPROVED/);
    },
  },
  "verdict-from-reviewer": { source: "AR-03, AR-06", hook: at("SubagentStop"), probe: verdictProbe },
  reports: {
    source: "RP-03, RP-09",
    hook: at("SubagentStop"),
    offBy: "`reports.rules` sets each finding to `off`; `guard: off`",
    async probe(scene) {
      const { agent } = await scene.holding();
      await scene.run();
      const answer = await scene.hook("SubagentStop", { last_assistant_message: "I am through." }, agent);
      return denied("last words that are no report", answer, /cannot be read as one/);
    },
  },
  "no-silent-stop": {
    source: "design §7",
    hook: at("SubagentStop"),
    async probe(scene) {
      const { agent } = await scene.holding();
      const answer = await scene.hook("SubagentStop", { last_assistant_message: "I am through." }, agent);
      return denied("a stop with a task in hand", answer, /You still hold/);
    },
  },
  "spawn-brief": {
    source: "CX-01",
    hook: at("SubagentStart"),
    async probe(scene) {
      const task = await scene.task();
      const agent = await scene.agent(task);
      return told("an agent that starts", await scene.hook("SubagentStart", {}, agent), task);
    },
  },
  "decisions-reach-the-lead": {
    source: "FP-08",
    hook: at("UserPromptSubmit"),
    async probe(scene) {
      await scene.as(scene.lead, "checkpoint_request", { title: "May the canary sing?", kind: "named" });
      const { checkpoints } = await scene.as(scene.lead, "checkpoint_list", {});
      const [first] = Array.isArray(checkpoints)
        ? checkpoints.filter((row) => row.title === "May the canary sing?")
        : [];
      const id = String(first?.id ?? "");
      await scene.as(scene.person, "checkpoint_approve", { id });
      return told("a checkpoint a person has decided", await scene.hook("UserPromptSubmit", { prompt: "Go on." }), id);
    },
  },
  "no-silent-end": { source: "RP-04, design §7", hook: at("Stop"), probe: tagProbe },
  "message-log": {
    source: "MB-05",
    hook: after("SendMessage"),
    async probe(scene) {
      await scene.run();
      const agent = await scene.agent();
      const last = () => scene.write((ctx) => lastMessageId(ctx.db));
      const first = await last();
      await scene.hook("PostToolUse", {
        tool_name: "SendMessage",
        tool_use_id: "t",
        tool_input: JSON.stringify({ to: agent.name, message: "canary" }),
        tool_response: JSON.stringify({ success: true }),
      });
      return (await last()) > first
        ? held("a message of the client's own tool: logged")
        : missed("a message of the client's own tool: not logged");
    },
  },
  "loans-told": {
    source: "BO-11",
    hook: before("Bash"),
    setting: (config) => (config.teams.length > 1 ? undefined : { state: "off", why: "there is one team" }),
    probe: loanProbe,
  },
  "message-delivery": {
    source: "MB-08",
    hook: before("Bash"),
    async probe(scene) {
      const { agent } = await scene.holding();
      await scene.as(scene.lead, "message_send", { to: agent.agentId, text: "The canary sings.", kind: "BLOCKER" });
      return told("an unread message", await scene.before("Bash", { command: "true" }, agent), "The canary sings.");
    },
  },
};
