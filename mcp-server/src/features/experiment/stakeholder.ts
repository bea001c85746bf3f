import { practiceOn } from "../../config/practices.rules.ts";
import { TeamwrightError } from "../../kernel/errors.ts";
import { doneBetween, openCards } from "./experiment.store.ts";
import { jsonText, type Output } from "./output.ts";
import { surpriseCard } from "./planning.ts";
import type { SprintPlay } from "./play.ts";
import { lead } from "./stage.ts";
import { type Feedback, feedback, proxyDecision, reviewRequest } from "./stakeholder.rules.ts";
import type { ReviewRecord, SprintRecord } from "./state.rules.ts";

/**
 * A stakeholder's word by the name of its file; undefined while there is none. `request` is what the stakeholder is
 * shown, where it is asked for the first time.
 */
export type ReadFeedback = (name: string, request?: string) => string | undefined | Promise<string | undefined>;

const FEEDBACK = "stakeholder-feedback-";
const REVIEW = "stakeholder-review-";

export function feedbackFile(sprint: number): string {
  return `${FEEDBACK}sprint-${sprint}.json`;
}

/** What was shown to the stakeholder whose answer is in `name`. */
export function reviewFileOf(name: string): string {
  return name.replace(FEEDBACK, REVIEW);
}

/** The review is the whole product's: it is asked for by the first team that has it (requirement EX-06). */
export function isReviewDue(play: SprintPlay): boolean {
  const first = play.teams.find(({ id }) => practiceOn(play.config, id, "stakeholder_review"));
  return first !== undefined && play.n > 0 && play.n % play.config.stakeholder_review.cadence_sprints === 0;
}

/**
 * Asks, and waits as long as is allowed; the file counts whenever it is there. Without an answer the time-out's action decides,
 * and `block` stops the run until there is one (requirement AG-04).
 */
export async function reviewProduct(
  play: SprintPlay,
  records: readonly SprintRecord[],
  output: Output,
  read: ReadFeedback,
): Promise<ReviewRecord> {
  const { config, n, stage } = play;
  const file = feedbackFile(n);
  const request = reviewRequest(config.experiment.name, records, await completedIn(play), file);
  output.write(reviewFileOf(file), jsonText(request));
  const given = parseFeedback(file, await read(file, jsonText(request)));
  if (given) {
    await follow(play, given);
    return reviewBy(given);
  }
  const { timeout_minutes, timeout_action } = config.stakeholder_review;
  stage.clock.now += Math.round(timeout_minutes * 60_000);
  const waited = `nobody answered within ${timeout_minutes} minutes`;
  if (timeout_action === "auto_approve") return { decision: "approved", by: "auto_approve", note: waited };
  if (timeout_action === "po_proxy") return proxyDecision(Object.values(records.at(-1)?.teams ?? {}));
  play.state.waitsFor = { sprint: n, file };
  return { decision: "waiting", by: "block", note: `${waited}; ${file} is waited for` };
}

export function reviewBy({ decision, respondent, feedback_text }: Feedback): ReviewRecord {
  return { decision, by: "stakeholder", note: `${respondent}: ${feedback_text}` };
}

async function completedIn(play: SprintPlay): Promise<string[]> {
  const titles = [];
  for (const team of play.teams) {
    const done = await doneBetween(play.stage.runtime.store.db, team.id, play.startedAt, play.stage.clock.now + 1);
    titles.push(...done.map((card) => card.title));
  }
  return titles;
}

/** Throws INVALID_INPUT with all that is wrong with the file. */
export function parseFeedback(file: string, text: string | undefined): Feedback | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TeamwrightError("INVALID_INPUT", `${file} is no JSON.`);
  }
  const result = feedback.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || file}: ${issue.message}`);
  throw new TeamwrightError("INVALID_INPUT", `${file} is no stakeholder's feedback.`, undefined, problems);
}

/** Feedback has effects: ranks change, new stories come to the board, what is rejected is done again. */
export async function follow(play: SprintPlay, given: Feedback): Promise<void> {
  const [first] = play.teams;
  if (!first) return;
  for (const story of given.new_stories)
    await surpriseCard(play, first, {
      title: story.title,
      points: story.story_points ?? 3,
      priority: 2,
      label: "stakeholder",
      kind: "story",
    });
  for (const { story_id, action, reason } of given.priority_changes) {
    const priority = /raise|up|first|increase|high/i.test(action) ? 1 : 3;
    for (const team of play.teams)
      for (const card of await openCards(play.stage.runtime.store.db, team.id))
        if (card.key === story_id || card.title === story_id)
          await play.stage.may(lead, "task_update", {
            id: card.key,
            priority,
            ...(reason === "" ? {} : { comment: reason }),
          });
  }
  if (given.decision !== "rejected") return;
  for (const team of play.teams)
    await surpriseCard(play, team, {
      title: `Redo what the stakeholder rejected in sprint ${play.n}`,
      points: 3,
      priority: 1,
      label: "rejected",
      kind: "rework",
    });
}
