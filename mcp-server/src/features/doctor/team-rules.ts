import type { ProjectConfig } from "../../config/config.schema.ts";
import { isRecord, textOf } from "../../kernel/records.ts";
import { held, missed, type RuleEntry, refused, type Sight } from "./rule-entry.ts";
import type { Scene } from "./scene.ts";
import { oneTeam, rule } from "./work-rules.ts";

const several = { setting: oneTeam, offBy: "holds where there are several `teams`" };

/** The rules between teams. */
export const teamRules: readonly RuleEntry[] = [
  rule(
    "loans-by-leads",
    "BO-02, C-22",
    "No agent of a team lends, borrows or returns anybody.",
    async (scene) => {
      const agent = await scene.agent(await scene.task());
      return refused("FORBIDDEN", "a loan asked for by an agent", scene.as(agent, "borrow_request", loanOf(scene)));
    },
    several,
  ),
  rule(
    "loan-limits",
    "BO-05, BO-06, BO-10",
    "No agent is lent to its own team, twice, over the cap, out of a small team or out of a protected role.",
    async (scene) => {
      const [home] = scene.config.teams;
      const own = await asked(scene, { ...loanOf(scene), to: home?.id }, "same_team", "a loan to the agent's own team");
      return own.held ? asked(scene, loanOf(scene), "cap", "a loan over the cap") : own;
    },
    { ...several, adjust: withCanaries, offBy: "`coordination` sets the cap, the smallest team and the roles" },
  ),
  rule(
    "sprints-by-leads",
    "AG-01, C-22",
    "No agent of a team starts or ends a sprint.",
    async (scene) => {
      const agent = await scene.agent(await scene.task());
      return refused("FORBIDDEN", "a sprint started by an agent", scene.as(agent, "sprint_start"));
    },
    several,
  ),
];

const names = ["canary-1", "canary-2", "canary-3", "canary-4"];

function withCanaries(config: ProjectConfig): ProjectConfig {
  const teams = config.teams.map((team, index) =>
    index === 0 ? { ...team, agents: [...team.agents, ...names] } : team,
  );
  return { ...config, teams, coordination: { ...config.coordination, max_borrows_per_sprint: 0, min_team_size: 0 } };
}

function loanOf({ config }: Scene) {
  const [from, to] = config.teams;
  return { agent: "canary-1", from: from?.id, to: to?.id, reason: "canary" };
}

/** A refused loan is an answer and no error: the ledger has it. */
async function asked(scene: Scene, loan: Record<string, unknown>, code: string, canary: string): Promise<Sight> {
  const answer = await scene.as(scene.lead, "borrow_request", loan);
  const given = isRecord(answer.loan) ? answer.loan : {};
  const said = `${canary}: ${textOf(given.status)}, ${textOf(given.why)}`;
  return given.refused === code ? held(said) : missed(said);
}
