import { directsWork, type Principal } from "../../kernel/principal.ts";
import { isRecord } from "../../kernel/records.ts";
import { storable } from "../../kernel/storable.ts";

export const clientStates = ["creating", "pending", "in_progress", "completing", "completed", "deleted"] as const;
export type ClientState = (typeof clientStates)[number];

/** The client's word for a state of its list, or undefined for one we do not know. */
export function clientState(word: unknown): ClientState | undefined {
  return word === "pending" || word === "in_progress" || word === "completed" || word === "deleted" ? word : undefined;
}

const MAX_REF = 255;
const MAX_TITLE_BYTES = 500;

/** The durable task that the creator of a client task names in its metadata: ours first, then that of BEADS (BD-02). */
export function wantedIn(metadata: unknown): string | undefined {
  if (!isRecord(metadata)) return undefined;
  for (const name of ["teamwright_id", "beads_id"]) {
    const value = metadata[name];
    if (typeof value !== "string") continue;
    const ref = storable(value).trim();
    if (ref !== "" && ref.length <= MAX_REF) return ref;
  }
  return undefined;
}

/** A client task's subject as the title of a durable one: never empty, at most 500 bytes. */
export function titleFor(subject: string, clientId: string): string {
  const text = storable(subject).replace(/\s+/g, " ").trim();
  if (text === "") return `Client task ${storable(clientId).slice(0, 40)}`;
  if (Buffer.byteLength(text) <= MAX_TITLE_BYTES) return text;
  // a character cut in half decodes to U+FFFD
  return Buffer.from(text)
    .subarray(0, MAX_TITLE_BYTES)
    .toString()
    .replace(/\uFFFD+$/, "")
    .trim();
}

export interface CompletionFacts {
  readonly task: {
    readonly key: string;
    readonly status: string;
    readonly holder: string | null;
    readonly holderName: string | null;
  };
  /** The unit the task is on its way in, with its obvious next step. */
  readonly unit?: { readonly key: string; readonly phase: string; readonly step: string } | undefined;
  /** Why it cannot be closed as done now. */
  readonly obstacle?: string | undefined;
  /** Undefined where the client does not say who completes. */
  readonly principal: Principal | undefined;
  /** Of the session's run; undefined outside one. */
  readonly mode?: string | undefined;
}

export type Completion =
  | { readonly outcome: "refused"; readonly reason: string }
  | { readonly outcome: "close" | "review" | "nothing" };

/**
 * What completing a client task means for the durable one (requirements BD-03, C-01; C-10 for the states). Nobody
 * completes over open gates; an agent completes what it holds, and in team mode that hands it in; the lead closes.
 */
export function decideCompletion({ task, unit, obstacle, principal, mode }: CompletionFacts): Completion {
  if (task.status === "closed") return { outcome: "nothing" };
  if (unit) {
    return refused(
      `${task.key} is the work of unit ${unit.key} in phase ${unit.phase}: it is complete with the reviewed commit. Next: ${unit.step}.`,
    );
  }
  if (!principal) return { outcome: "nothing" };
  if (!directsWork(principal)) {
    if (task.holder !== principal.key) {
      return refused(
        task.holder === null
          ? `You do not hold ${task.key}: task_claim takes it, then it can be completed.`
          : `${task.key} is held by ${task.holderName ?? "another agent"}; only the holder or the lead completes it.`,
      );
    }
    if (task.status !== "in_progress") return { outcome: "nothing" };
    return { outcome: mode === "team" || obstacle !== undefined ? "review" : "close" };
  }
  const isAnothers = task.holder !== null && task.holder !== principal.key;
  if (isAnothers && task.status === "in_progress") {
    return refused(
      `${task.holderName ?? "Another agent"} still works on ${task.key}: it hands it in first (board_move), or task_update with release takes it back.`,
    );
  }
  if (obstacle === undefined) return { outcome: "close" };
  return task.status === "in_progress" ? { outcome: "review" } : refused(obstacle);
}

function refused(reason: string): Completion {
  return { outcome: "refused", reason };
}

export const differences = ["unlinked", "open_there", "open_here", "unconfirmed", "deleted_there"] as const;
export type Difference = (typeof differences)[number];

/** How the two records of one task differ, or undefined: what a crash between two steps leaves (BD-07). */
export function differenceOf(pair: {
  readonly state: string;
  readonly origin: string | null;
  /** State of the durable task; null when there is none. */
  readonly status: string | null;
}): Difference | undefined {
  const { state, status } = pair;
  if (status === null) return state === "deleted" ? undefined : "unlinked";
  if (status === "closed") return state === "completed" || state === "deleted" ? undefined : "open_there";
  if (state === "completed") return "open_here";
  if (state === "completing") return "unconfirmed";
  return state === "deleted" && pair.origin === "created" ? "deleted_there" : undefined;
}
