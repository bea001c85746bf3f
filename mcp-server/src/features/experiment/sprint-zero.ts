import { practiceOn } from "../../config/practices.rules.ts";
import { openCards } from "./experiment.store.ts";
import { type Output, sprintFolder } from "./output.ts";
import { surpriseCard } from "./planning.ts";
import { type SprintPlay, type TeamPlay, TICKS_PER_DAY } from "./play.ts";
import { playTick } from "./tick.ts";

/** What a backlog says of its product, as far as the set-up asks for it (requirement PF-07). */
export interface ProductFacts {
  readonly mission?: string;
  readonly vision?: string;
  readonly goals?: readonly string[];
  readonly target_audience?: string;
  readonly success_metrics?: readonly string[];
  readonly languages?: readonly string[];
  readonly tech_stack?: readonly string[];
  readonly brownfield: boolean;
}

/** Days that a gate which does not open may add; then sprint 1 begins with what is left on the board. */
const MOST_DAYS = 20;

/** Set-up of each team that has it: INFRA cards for half a sprint, and until they are done where CI is a gate (AG-05). */
export async function playSprintZero(play: SprintPlay, product: ProductFacts, output: Output): Promise<void> {
  const { config, stage } = play;
  const teams = play.teams.filter(({ id }) => practiceOn(config, id, "sprint_zero"));
  for (const team of teams) {
    for (const draft of infraCards(product)) await surpriseCard(play, team, draft);
    if (config.sprint_zero.business_brief)
      output.write(`${team.id}/${sprintFolder(0)}/business_brief.md`, brief(team, product));
  }
  const ticks = Math.max(1, Math.round(config.sprint.days * config.sprint_zero.duration_share * TICKS_PER_DAY));
  for (let tick = 0; tick < MOST_DAYS * TICKS_PER_DAY; tick += 1) {
    const late = tick >= ticks;
    if (late && !(config.sprint_zero.ci_gate && (await isOpen(play, teams)))) break;
    for (const team of teams)
      await playTick(play, team, { finishing: tick === ticks - 1 && !config.sprint_zero.ci_gate });
    stage.clock.now = Math.round(play.startedAt + ((tick + 1) * play.dayMs) / TICKS_PER_DAY);
  }
}

async function isOpen(play: SprintPlay, teams: readonly TeamPlay[]): Promise<boolean> {
  for (const team of teams)
    if ((await openCards(play.stage.runtime.store.db, team.id)).some(({ title }) => title.startsWith("INFRA-")))
      return true;
  return false;
}

function infraCards(product: ProductFacts) {
  const languages = product.languages && product.languages.length > 0 ? product.languages : ["the code"];
  const works = [
    ...languages.flatMap((language) => [`Lint ${language}`, `Run the tests of ${language}`]),
    "Build a container",
    "Run all of it in CI",
    ...(product.brownfield ? ["List the gaps of what is there"] : []),
  ];
  return works.map((work, index) => ({
    title: `INFRA-${String(index + 1).padStart(3, "0")}: ${work}`,
    points: 1,
    priority: 1,
    label: "infra",
    kind: "infra" as const,
    domain: "devops",
  }));
}

function brief(team: TeamPlay, product: ProductFacts): string {
  const owner = team.workers.find(({ member }) => member.role === "product_owner")?.member.name ?? "the team";
  const list = (items: readonly string[] | undefined) => (items ?? ["not said"]).map((item) => `- ${item}`);
  return [
    `# Business Knowledge Brief for ${team.id}`,
    "",
    `Written by ${owner}.`,
    "",
    "## Mission",
    "",
    product.mission ?? product.vision ?? "not said",
    "",
    "## Goals",
    "",
    ...list(product.goals),
    "",
    "## For whom",
    "",
    product.target_audience ?? "not said",
    "",
    "## How success is measured",
    "",
    ...list(product.success_metrics),
    "",
  ].join("\n");
}
