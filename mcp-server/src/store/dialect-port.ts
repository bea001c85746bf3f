import type { Kysely, Transaction } from "kysely";
import type { Database } from "./database.ts";

/** All that differs between SQLite and PostgreSQL and is not Kysely's to say. */
export interface DialectPort {
  readonly name: "sqlite" | "postgres";
  /** Serialises transactions that name the same resource; SQLite's immediate transactions already are serial. */
  lockName(trx: Kysely<Database>, name: string): Promise<void>;
  /** Ids (surrogate) of tasks, of a team or of all, whose text matches every word, best first. */
  searchTasks(db: Kysely<Database>, words: readonly string[], limit: number, team?: string): Promise<number[]>;
  /** The same for facts of the knowledge base whose text matches some word; the more, the better. */
  searchKnowledge(db: Kysely<Database>, words: readonly string[], limit: number): Promise<number[]>;
  /** True for failures that the whole transaction should be tried again for. */
  isRetryable(error: unknown): boolean;
  /** A sentence for the caller when the store itself fails, else undefined. */
  explainFailure(error: unknown): string | undefined;
  /** Calls `changed` when another process may have written, as a hint only; returns the stop function. */
  watch(changed: () => void): () => void;
  /** Tells the watchers of other processes at the commit, where the store does not do so by itself. */
  announce(trx: Kysely<Database>): Promise<void>;
  readonly skipLocked: boolean;
}

export interface Store {
  readonly db: Kysely<Database>;
  readonly port: DialectPort;
  /** Where it is, for messages: a path, or a URL without credentials. */
  readonly location: string;
  /** Set when writes are refused: why, in one sentence. */
  readonly readOnly: string | undefined;
  /** True when a newer program has written it, so that what is read may be incomplete too. */
  readonly isNewer: boolean;
  /** Random name of this process's replica in event stamps. */
  readonly replica: string;
  close(): Promise<void>;
}

export type Handle = Kysely<Database> | Transaction<Database>;
