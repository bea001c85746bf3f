/** Looks at the store as a person would: the event feed and the boards. Opened from the sources, changes nothing. */

import { type EventRow, listEventsAfter } from "../../mcp-server/src/features/event/event.store.ts";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute } from "../../mcp-server/src/kernel/execute.ts";
import type { Principal } from "../../mcp-server/src/kernel/principal.ts";
import { openRuntime } from "../../mcp-server/src/runtime.ts";
import type { Answer } from "./agent.ts";

export type { EventRow };

const onlooker: Principal = { kind: "human", key: "human:onlooker", name: "onlooker" };

export interface Card {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly kind?: string;
  readonly holder?: string;
  readonly blocked?: string;
  readonly points?: number;
}

export interface Column {
  readonly column: string;
  readonly total: number;
  readonly limit?: number;
  readonly tasks: readonly Card[];
}

export interface Board {
  readonly team: string;
  readonly name?: string;
  readonly columns: readonly Column[];
}

type Listener = (event: EventRow) => void;

export class Watch {
  readonly events: EventRow[] = [];
  readonly #runtime: Awaited<ReturnType<typeof openRuntime>>;
  readonly #listeners = new Set<Listener>();

  private constructor(runtime: Awaited<ReturnType<typeof openRuntime>>) {
    this.#runtime = runtime;
  }

  static async open(folder: string): Promise<Watch> {
    return new Watch(await openRuntime({ start: folder, defaultIdentity: "advisory" }));
  }

  get config() {
    return this.#runtime.config;
  }

  onEvent(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads what was added to the feed since the last look; returns how many events that were. */
  async look(): Promise<number> {
    const last = Number(this.events.at(-1)?.seq ?? 0);
    const rows = await listEventsAfter(this.#runtime.store.db, last, 1000);
    for (const row of rows) {
      this.events.push(row);
      for (const listener of this.#listeners) listener(row);
    }
    return rows.length;
  }

  /** Resolves with the first event from now on that fits. */
  next(fits: (event: EventRow) => boolean, withinMs: number): Promise<EventRow> {
    return new Promise((resolve, reject) => {
      const stop = this.onEvent((event) => {
        if (!fits(event)) return;
        finish();
        resolve(event);
      });
      const timer = setTimeout(() => {
        finish();
        reject(new Error("the event that was waited for did not come"));
      }, withinMs);
      const finish = () => {
        stop();
        clearTimeout(timer);
      };
    });
  }

  async read(operation: string, input: Record<string, unknown> = {}): Promise<Answer> {
    const found = findOperation(operation);
    if (!found) throw new Error(`there is no operation ${operation}`);
    return execute(this.#runtime, found, input, { principal: onlooker });
  }

  async boards(cards: number): Promise<Board[]> {
    return (await this.read("board_show", { limit: cards })).boards;
  }

  close(): Promise<void> {
    return this.#runtime.close();
  }
}

export function afterOf(event: EventRow): Record<string, unknown> {
  return event.after === null ? {} : JSON.parse(event.after);
}

export function beforeOf(event: EventRow): Record<string, unknown> {
  return event.before === null ? {} : JSON.parse(event.before);
}
