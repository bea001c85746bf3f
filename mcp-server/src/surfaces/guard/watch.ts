import { setTimeout as sleep } from "node:timers/promises";
import type { MessageRow } from "../../features/message/message.store.ts";
import { readerOf, unreadOf } from "../../features/message/reader.store.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { Principal } from "../../kernel/principal.ts";
import { openProject } from "../../runtime.ts";
import type { Store } from "../../store/dialect-port.ts";

export interface WatchOptions {
  /** Where to look for the project from. */
  readonly start: string;
  readonly session: string;
  write(line: string): void;
  /** False once the client is gone. */
  isWanted(): boolean;
  /** Shortest time between two lines; each costs the lead a turn. */
  readonly everyMs?: number;
  /** How long more are waited for before a line. */
  readonly settleMs?: number;
}

const LOOK_MS = 2000;
const MOST_NAMED = 4;

/**
 * The monitor of an interactive session: one line for each batch of urgent messages its lead has not read, so that the
 * client wakes it (requirement MB-08). Reads only; what the lead has read by then is not announced, and nothing twice.
 */
export async function watchMessages(options: WatchOptions): Promise<void> {
  const { everyMs = 15_000, settleMs = 1000, session } = options;
  const { store, config } = await openProject({ start: options.start, defaultIdentity: "strict" });
  const lead: Principal = { kind: "lead", key: `lead:${session}`, name: "lead", session };
  let announced = 0;
  const urgent = async () => {
    const reader = await readerOf({ db: store.db, config }, lead);
    return unreadOf(store.db, reader, 20, { urgentOnly: true, after: announced });
  };
  try {
    while (options.isWanted()) {
      if ((await urgent().catch(() => none)).total > 0) {
        await sleep(settleMs);
        const { rows, total } = await urgent().catch(() => none);
        if (total > 0) {
          options.write(announce(rows, total));
          announced = Number(rows.at(-1)?.id ?? announced);
          await pause(everyMs, options);
        }
      }
      await nextChange(store);
    }
  } finally {
    await store.close();
  }
}

/** A store that is busy or away for a moment is looked at again. */
const none: { rows: MessageRow[]; total: number } = { rows: [], total: 0 };

/** Who wants what, never what they wrote: the line reaches the model outside any fence. */
function announce(rows: readonly MessageRow[], total: number): string {
  const named = rows
    .slice(0, MOST_NAMED)
    .map((row) => `${row.kind} from ${plainLine(row.sender_name, 40)}${row.task_key ? ` on ${row.task_key}` : ""}`);
  const rest = total > named.length ? ` and ${total - named.length} more` : "";
  return `${total} urgent ${total === 1 ? "message waits" : "messages wait"}: ${named.join(", ")}${rest}. message_inbox shows ${total === 1 ? "it" : "them"}.`;
}

async function pause(ms: number, options: WatchOptions): Promise<void> {
  const deadline = performance.now() + ms;
  while (options.isWanted() && performance.now() < deadline) await sleep(Math.min(LOOK_MS, ms));
}

/** Until somebody may have written; the notice only shortens the wait. */
async function nextChange(store: Store): Promise<void> {
  const woken = new AbortController();
  const stop = store.port.watch(() => woken.abort());
  await sleep(LOOK_MS, undefined, { signal: woken.signal }).catch(() => undefined);
  stop();
}
