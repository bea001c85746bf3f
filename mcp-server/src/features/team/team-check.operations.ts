import { basename, dirname, resolve } from "node:path";
import * as z from "zod";
import { type ProjectConfig, teamTypes, withDefaults } from "../../config/config.schema.ts";
import { isCoordinated } from "../../config/practices.rules.ts";
import { CONFIG_FILE } from "../../config/project-root.ts";
import { TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type FilePort, type OperationContext } from "../../kernel/operation.ts";
import { budgetOf } from "../overhead/overhead.rules.ts";
import { compact } from "../task/task.view.ts";
import { notesOn } from "./team-check.rules.ts";

const MAX_BYTES = 4_000_000;

const team = z.object({
  id: z.string(),
  name: z.string().optional(),
  team_type: z.enum(teamTypes).optional(),
  agents: z.array(z.string()),
  backlog: z.string().optional(),
});
const agent = z.object({
  id: z.string(),
  name: z.string().optional(),
  role: z.string().optional(),
  team: z.string().optional(),
});

export const teamCheck = defineOperation({
  name: "team_check",
  description:
    "Check a configuration of teams, teamwright.yaml unless another is named: every problem at once with line, column and a suggestion, or its teams, agents, coordinators and overhead budget. Exit code 1 means problems.",
  kind: "read",
  needsStore: false,
  needsConfig: false,
  mcp: "none",
  positional: ["file"],
  input: z.strictObject({
    file: z.string().min(1).max(4096).optional().describe("Path of the file; - for standard input."),
    experiment: z.boolean().optional().describe("Hold it to what an experiment needs: 2 to 7 teams with agents."),
  }),
  output: z.object({
    ok: z.boolean(),
    file: z.string(),
    problems: z.array(z.string()),
    notes: z.array(z.string()),
    teams: z.array(team),
    agents: z.array(agent),
    coordinators: z.array(agent),
    budget: z
      .object({
        sprints: z.number(),
        minutes: z.number(),
        total_minutes: z.number(),
        iteration_zero_minutes: z.number(),
        per_sprint_minutes: z.number(),
        coordination_minutes: z.number(),
        distribution_minutes: z.number(),
        checkin_minutes: z.number(),
      })
      .optional(),
  }),
  async run(ctx, input) {
    const { files, name, path, text } = await readConfig(ctx, input.file);
    const { parseConfig } = await import("../../config/config.load.ts"); // with the parser of YAML, which few commands need
    const { config: file, problems } = parseConfig(text, name, { forExperiment: input.experiment === true });
    if (!file) return { ok: false, file: name, problems, notes: [], teams: [], agents: [], coordinators: [] };
    const config = withDefaults(file, ctx.config.root);
    const declared = file.teams.length > 0 ? config.teams : [];
    return compact({
      ok: true,
      file: name,
      problems,
      notes: [...notesOn({ ...config, teams: declared }), ...(await missingBacklogs(files, dirname(path), config))],
      teams: declared.map(({ id, name: label, team_type, agents, backlog }) =>
        compact({ id, name: label, team_type, agents, backlog }),
      ),
      agents: declared.flatMap(({ id, agents }) => agents.map((each) => shown(config, each, id))),
      coordinators: config.coordination.coordinators.map((each) => shown(config, each)),
      budget: isCoordinated(config) ? budget(config) : undefined,
    });
  },
  render(output, view) {
    const { problems, agents, teams, coordinators } = output;
    if (!output.ok)
      return [
        `${output.file}: ${view.paint("red", `${problems.length} problem${problems.length === 1 ? "" : "s"}`)}`,
        ...problems.map((problem) => plainLine(problem, 500)),
      ].join("\n");
    const lines = [`${view.paint("green", "Fine:")} ${output.file}`];
    const everybody = [...agents, ...coordinators];
    if (everybody.length > 0) lines.push(countOf(everybody.length, "agent"));
    for (const { id, name, role } of everybody)
      lines.push(`  - ${plainLine([`${id}: ${name ?? id}`, role].filter(Boolean).join(", "), 120)}`);
    lines.push(teams.length === 0 ? "One team, main" : countOf(teams.length, "team"));
    for (const { id, name, team_type, agents: members, backlog } of teams) {
      const parts = [team_type, countOf(members.length, "agent"), backlog && `backlog ${backlog}`].filter(Boolean);
      lines.push(`  - ${plainLine(`${id}: ${name ?? id} (${parts.join(", ")})`, 120)}`);
    }
    if (coordinators.length > 0) lines.push(`Coordinators: ${coordinators.map(({ id }) => id).join(", ")}`);
    if (output.budget) lines.push(budgetLine(output.budget));
    return [...lines, ...output.notes.map((note) => view.paint("yellow", `! ${plainLine(note, 300)}`))].join("\n");
  },
});

function countOf(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** Without a file of the project there are the defaults, and they are fine. */
async function readConfig({ files, config }: OperationContext, asked: string | undefined) {
  if (!files) throw new TeamwrightError("UNAVAILABLE", "Files are read at the command line only.");
  const path = asked ?? resolve(config.root, CONFIG_FILE);
  const text = await files.read(path, MAX_BYTES).catch((error: unknown) => {
    if (asked === undefined && error instanceof TeamwrightError && error.code === "NOT_FOUND") return undefined;
    throw error;
  });
  const name = asked === undefined || text === undefined ? CONFIG_FILE : asked === "-" ? "<stdin>" : basename(asked);
  return { files, path, name: text === undefined ? `defaults, there is no ${name}` : name, text: text ?? "" };
}

/** Backlogs the file names and that are not there; they are looked for beside it. */
async function missingBacklogs(files: FilePort, folder: string, config: ProjectConfig): Promise<string[]> {
  const named = [config.portfolio.backlog, ...config.teams.map(({ backlog }) => backlog)];
  const missing: string[] = [];
  for (const backlog of named) {
    if (backlog === undefined) continue;
    const found = await files.read(resolve(folder, backlog), 1).catch((error: unknown) => error);
    if (found instanceof TeamwrightError) missing.push(`backlog ${backlog}: ${found.message}`);
  }
  return missing;
}

function shown(config: ProjectConfig, id: string, home?: string): z.infer<typeof agent> {
  const person = config.models.agents?.[id];
  return compact({ id, name: person?.name, role: person?.role_archetype, team: home });
}

/** In minutes, for as many sprints as an experiment has (requirement OH-02). */
function budget({ coordination, experiment, sprint }: ProjectConfig) {
  const found = budgetOf(coordination.overhead_budget, experiment.sprints, sprint.minutes);
  const minutes = (ms: number) => Math.round(ms / 600) / 100;
  return {
    sprints: experiment.sprints,
    minutes: sprint.minutes,
    total_minutes: minutes(found.totalMs),
    iteration_zero_minutes: minutes(found.iterationZeroMs),
    per_sprint_minutes: minutes(found.perSprintMs),
    coordination_minutes: minutes(found.stepMs.coordination),
    distribution_minutes: minutes(found.stepMs.distribution),
    checkin_minutes: minutes(found.stepMs.checkin),
  };
}

function budgetLine(found: ReturnType<typeof budget>): string {
  const { sprints, minutes, coordination_minutes, distribution_minutes, checkin_minutes } = found;
  return `Overhead budget: ${found.total_minutes} min of ${sprints} sprints of ${minutes} min; iteration 0 ${found.iteration_zero_minutes}, then ${found.per_sprint_minutes} per sprint: coordination ${coordination_minutes}, distribution ${distribution_minutes}, check-in ${checkin_minutes}`;
}
