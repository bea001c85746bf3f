import { spend, wishes } from "./disturbance.rules.ts";
import { heldCards } from "./experiment.store.ts";
import { surpriseCard } from "./planning.ts";
import { cardOf, change, dayOf, type SprintPlay, type TeamPlay, whoSpeaks } from "./play.ts";
import { randomStream } from "./random.rules.ts";

/** What befalls the team today (requirement AG-02): each kind shows on the board, in effort or in quality. */
export async function strikeToday(play: SprintPlay, team: TeamPlay): Promise<void> {
  const today = Math.round(dayOf(play));
  for (const { kind, day } of team.disturbances) {
    if (day !== today) continue;
    const { cost, left } = spend(team.blast, wishes[kind]);
    team.blast = left;
    team.regression += cost.quality;
    const random = randomStream(play.state.seed, "strike", kind, team.id, play.n);
    switch (kind) {
      case "production_incident":
        team.debt += cost.points;
        await incident(play, team);
        break;
      case "scope_creep":
        await scopeCreep(play, team);
        break;
      case "flaky_test":
      case "architectural_debt":
        team.debt += cost.points;
        break;
      default: {
        const victims = await cardsThatMay(play, team, kind === "junior_misunderstanding");
        if (victims.length === 0) {
          team.debt += cost.points;
          break;
        }
        const { key, holder } = random.pick(victims);
        const card = cardOf(play, key);
        change(play, key, { left: card.left + cost.points });
        // a blast radius that is used up leaves the disturbance to be seen, and takes its cost away
        const share = cost.points / (wishes[kind].points ?? cost.points);
        if (kind === "junior_misunderstanding") change(play, key, { risk: card.risk + MISUNDERSTOOD * share });
        if (kind === "dependency_breaks" && share > 0) await block(play, team, { key, holder, days: share });
      }
    }
  }
}

/** Added to the chance that a review finds something. */
const MISUNDERSTOOD = 0.15;

async function cardsThatMay(play: SprintPlay, team: TeamPlay, juniorsOnly: boolean) {
  const rows = await heldCards(play.stage.runtime.store.db, team.id, "in_progress");
  return rows.filter(({ key, holder }) => {
    const worker = team.workers.find(({ principal }) => principal.key === holder);
    const isFree = play.state.cards[key] !== undefined && play.state.cards[key]?.blockedUntil === undefined;
    return worker !== undefined && isFree && (!juniorsOnly || worker.member.seniority === "junior");
  });
}

interface Broken {
  readonly key: string;
  readonly holder: string | null;
  /** How long it stands still. */
  readonly days: number;
}

/** What the card builds on is broken: it stands still for a day at most, and the team is told. */
async function block(play: SprintPlay, team: TeamPlay, { key, holder, days }: Broken): Promise<void> {
  const { stage } = play;
  const worker = team.workers.find(({ principal }) => principal.key === holder);
  if (!worker) return;
  const reason = "A dependency broke; its makers are at it.";
  if (!(await stage.may(worker.principal, "task_update", { id: key, block: reason }))) return;
  team.blocked.add(key);
  change(play, key, { blockedUntil: Math.round(stage.clock.now + play.dayMs * days) });
  await stage.may(worker.principal, "message_send", {
    to: `team:${team.id}`,
    kind: "BLOCKER",
    task: key,
    text: `${key} stands still: a dependency broke.`,
  });
}

async function incident(play: SprintPlay, team: TeamPlay): Promise<void> {
  const label = String(play.n).padStart(2, "0");
  const title = `HOTFIX: repair what broke in production in sprint ${label}`;
  const card = await surpriseCard(play, team, { title, points: 3, priority: 0, label: "hotfix", kind: "hotfix" });
  await play.stage.may(whoSpeaks(team), "message_send", {
    to: `team:${team.id}`,
    task: card.key,
    text: `[INCIDENT ALERT] Production is down; ${card.key} comes first.`,
  });
}

async function scopeCreep(play: SprintPlay, team: TeamPlay): Promise<void> {
  const label = String(play.n).padStart(2, "0");
  const title = `Add what was not asked for before sprint ${label}`;
  const card = await surpriseCard(play, team, {
    title,
    points: 2,
    priority: 2,
    label: "scope-creep",
    kind: "scope_creep",
  });
  const owner = team.workers.find(({ member }) => member.role === "product_owner");
  const speaker = whoSpeaks(team);
  if (!owner || owner.principal.key === speaker.key) return;
  await play.stage.may(speaker, "message_send", {
    to: owner.member.id,
    task: card.key,
    text: `Scope grew: ${card.key} was not planned. It is on the board; please rank it.`,
  });
}
