import { doneBetween, openCards } from "../experiment.store.ts";
import type { LiveRun } from "./live-run.ts";

const LOOK_MS = 3000;

/** Shows how far each team's board is while its session works. Ends by the function it gives. */
export function watchBoards({ desk, show }: LiveRun, n: number): () => void {
  const { db } = desk.runtime.store;
  const since = Date.now();
  const look = async () => {
    const states = [];
    for (const { id } of desk.config.teams) {
      const done = (await doneBetween(db, id, since, Date.now() + 1)).length;
      states.push(`${id} ${done}/${done + (await openCards(db, id)).length}`);
    }
    show(`sprint ${n}: ${states.join(", ")} closed`);
  };
  const timer = setInterval(() => void look().catch(() => {}), LOOK_MS); // the store may be busy, or closed meanwhile
  timer.unref();
  return () => clearInterval(timer);
}
