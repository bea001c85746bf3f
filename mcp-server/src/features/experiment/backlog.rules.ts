import { parse } from "yaml";
import { isRecord } from "../../kernel/records.ts";

/** A backlog file; `team` for a team's own, else it is the portfolio. */
export interface Backlog {
  readonly name: string;
  readonly text: string;
  readonly team?: string;
}

/** The stories of a backlog once more, as JSON: `US-001` is `US-001.2` in the second round. */
export function repeated(text: string, round: number): string {
  const value: unknown = parse(text);
  const list = Array.isArray(value) ? value : isRecord(value) && Array.isArray(value.stories) ? value.stories : [];
  const stories = list.map((story: unknown) =>
    isRecord(story) ? { ...story, id: `${String(story.id)}.${round}`, sprint: undefined } : story,
  );
  return JSON.stringify({ stories });
}
