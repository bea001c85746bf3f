import * as z from "zod";
import { coordination, portfolio, sprint } from "./coordination.schema.ts";
import { escalation, retries } from "./escalation.schema.ts";
import {
  consensus,
  disturbances,
  experiment,
  metaLearning,
  onboarding,
  pairing,
  practiceNames,
  profileSwapping,
  retro,
  specialists,
  sprintZero,
  stakeholderReview,
  standup,
  technicalPlanning,
  turnover,
} from "./experiment.schema.ts";
import { gates, units } from "./gates.schema.ts";
import { agentLimits, contextLimits, models, spawnExceptions } from "./models.schema.ts";
import { leadEdits, ownership, ownershipMode, protectedPaths } from "./ownership.schema.ts";
import { NOT_ONE_LINE, ONE_LINE } from "./people.schema.ts";
import { reportRuleIds, reportSections } from "./report-rules.schema.ts";

const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "use 1–32 lower-case letters, digits, - or _, starting with a letter or digit");

/** A limit of cards; absent means none (requirements TC-05, KB-04). */
const wipLimits = z.strictObject({
  in_progress: z.number().int().positive().optional().describe("Most tasks of a team in progress at once."),
  review: z.number().int().positive().optional().describe("Most tasks of a team in review at once."),
  per_agent: z.number().int().positive().optional().describe("Most tasks one agent holds at once; 1 by default."),
});

/** requirements TC-04 */
export const teamTypes = ["stream_aligned", "platform", "enabling", "complicated_subsystem"] as const;

/** requirement TC-02; told by the checks over the whole file, which count in words */
export const MOST_TEAMS = 7;

const team = z.strictObject({
  id: id.describe("Text id, used in paths and metrics."),
  name: z.string().min(1).regex(ONE_LINE, NOT_ONE_LINE).optional().describe("For people; the id by default."),
  team_type: z.enum(teamTypes).optional(),
  agents: z
    .array(z.string().min(1).regex(ONE_LINE, NOT_ONE_LINE))
    .default([])
    .describe("Names of the team's agents; each is in one team only."),
  backlog: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe("File of the team's own stories, seen from this file; it then gets none of the portfolio."),
  wip_limits: wipLimits.optional().describe("Merged over the project's limits, key by key."),
  practices: z
    .partialRecord(z.enum(practiceNames), z.boolean())
    .optional()
    .describe("Sections such as `retro` or `turnover` that are on or off for this team alone."),
});

const glob = z.string().min(1).max(1000);

/** How agents' reports are linted (requirements RP-09). */
const reports = z.strictObject({
  rules: z
    .partialRecord(z.enum(reportRuleIds), z.enum(["off", "warn", "error"]))
    .default({})
    .describe("Level of a rule by its id, as in `TW306: off`; docs/lint-rules.md has them all."),
  required_sections: z
    .array(z.enum(reportSections))
    .default([...reportSections])
    .describe("Sections each report must have; all of them unless set."),
  targets: z
    .array(z.string().min(1).max(64))
    .default([])
    .describe("Who may be the target of a tag, besides the roles and the agents of the teams."),
  include: z.array(glob).default(["reports/**/*.md"]).describe("Globs of the reports, for a call that names no files."),
  ignore: z.array(glob).default([]).describe("Globs of files that are left out, named or not."),
  max_characters: z.number().int().positive().default(20_000).describe("Length of a report that is still fine."),
  max_code_lines: z.number().int().positive().default(60).describe("Lines of a code block that are still fine."),
});

/** teamwright.yaml. Strict at every level: an unknown key is an error with the nearest known one. */
export const configSchema = z.strictObject({
  project: z
    .strictObject({ prefix: id.default("tw").describe("Start of every new task id.") })
    .default({ prefix: "tw" }),
  storage: z
    .strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\//, "must start with postgres://")
        .optional()
        .describe("A PostgreSQL database shared by several machines; absent for the embedded store."),
      synchronous: z
        .enum(["normal", "full"])
        .default("normal")
        .describe("full also survives power loss of the last commits, at the cost of a disk flush per write."),
    })
    .default({ synchronous: "normal" }),
  identity: z
    .enum(["strict", "advisory"])
    .optional()
    .describe("strict refuses writes of callers the guard has not bound; advisory records them as unverified."),
  claims: z
    .strictObject({
      lease_seconds: z
        .number()
        .int()
        .min(5)
        .max(86_400)
        .default(900)
        .describe("How long a silent holder keeps a task."),
    })
    .default({ lease_seconds: 900 }),
  task_quality: z
    .enum(["strict", "warn", "off"])
    .default("warn")
    .describe("What vague titles, missing criteria and overlapping scopes lead to at creation."),
  wip_limits: wipLimits.default({}).describe("For every team."),
  reports: reports.prefault({}),
  ownership,
  protected: protectedPaths,
  ownership_mode: ownershipMode,
  lead_edits: leadEdits,
  limits: agentLimits,
  spawn_exceptions: spawnExceptions,
  models,
  context: contextLimits,
  guard: z.enum(["on", "off"]).default("on").describe("off switches every hook decision off."),
  bridge: z
    .enum(["on", "off"])
    .default("off")
    .describe("on keeps the client's own task list and these tasks together: created and completed both ways."),
  gates: gates.optional(),
  units: units
    .default({ phase_gate: "merged_local", merge: "person", coverage_thresholds: ".coverage-thresholds.json", runs: 4 })
    .describe("How runs and their work units go."),
  retries,
  escalation,
  coordination: coordination.describe("How several teams are held together, between sprints."),
  sprint: sprint.describe("Length and planning of a sprint."),
  portfolio: portfolio.describe("How stories come to the teams that have no backlog of their own."),
  experiment: experiment.describe("A run of simulated or real teams, for comparing ways of coordinating."),
  disturbances: disturbances.describe("In experiments: what goes wrong."),
  profile_swapping: profileSwapping.describe("In experiments: work outside one's specialisation."),
  stakeholder_review: stakeholderReview.describe("In experiments: a person's word on the product."),
  sprint_zero: sprintZero.describe("In experiments: the set-up before sprint 1."),
  specialists: specialists.describe("In experiments: consultants."),
  turnover: turnover.describe("In experiments: agents that leave."),
  onboarding: onboarding.describe("In experiments: newcomers."),
  meta_learning: metaLearning.describe("In experiments: learning from retrospectives."),
  retro: retro.describe("In experiments: retrospectives."),
  pairing: pairing.describe("In experiments: pairs."),
  technical_planning: technicalPlanning.describe("In experiments: tasks of stories."),
  standup: standup.describe("In experiments: the morning meeting."),
  consensus: consensus.describe("In experiments: who decides what a pair cannot agree on."),
  teams: z.array(team).default([]).meta({ description: "Absent: one team named main.", maxItems: MOST_TEAMS }),
});

export type ConfigFile = z.infer<typeof configSchema>;
export type TeamConfig = z.infer<typeof team>;
export type WipLimits = z.infer<typeof wipLimits>;

/** The configuration in force: the file's, with the single team filled in. */
export interface ProjectConfig extends ConfigFile {
  readonly teams: TeamConfig[];
  /** Project root: the repository that all worktrees share. */
  readonly root: string;
  /** Where the configuration came from; undefined when there is no file. */
  readonly file: string | undefined;
}

export const DEFAULT_TEAM = "main";

/** `agents: [...]` stands for agents that a shortened example leaves out; it is nobody's name. */
export const ELLIPSIS = "...";

export function withDefaults(file: ConfigFile, root: string, path?: string): ProjectConfig {
  const declared = file.teams.map((team) => ({ ...team, agents: team.agents.filter((agent) => agent !== ELLIPSIS) }));
  const teams = declared.length > 0 ? declared : [{ id: DEFAULT_TEAM, agents: [] }];
  return { ...file, teams, root, file: path };
}

/** The limits of one team: the project's, overridden key by key (requirements TC-05, origin fault avoided). */
export function limitsOf(config: ProjectConfig, teamId: string): WipLimits {
  return { ...config.wip_limits, ...config.teams.find((candidate) => candidate.id === teamId)?.wip_limits };
}

/** The team whose `agents` list holds the name. */
export function teamOfAgent(config: ProjectConfig, name: string): string | undefined {
  return config.teams.find((candidate) => candidate.agents.includes(name))?.id;
}
