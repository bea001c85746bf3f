import { TeamwrightError } from "../../kernel/errors.ts";
import { type FolderAsked, type FolderOutcome, runInFolder } from "./folder-run.ts";

/** What a process that plays is told, and what it tells: one run at a time. */
export type Order = { readonly kind: "play"; readonly asked: FolderAsked } | { readonly kind: "stop" };
export type Told =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "played"; readonly outcome: FolderOutcome }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** A refusal on its way between processes. */
export type Refusal = Pick<TeamwrightError, "code" | "message" | "problems" | "hint">;

/** Why a run has not been played: as it was refused, or a fault of ours, which is shown where it happened. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof TeamwrightError) {
    const { code, message, problems, hint } = error;
    return { code, message, problems, hint };
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return {
    code: "INTERNAL",
    message: "Something failed inside Teamwright; the lines before say where.",
    problems: [],
    hint: undefined,
  };
}

/**
 * The whole life of a process that plays runs for another one: orders come and news go by the channel between them, and
 * with the channel it ends, whatever has become of whoever began it. The last whole sprint is kept.
 */
export async function playForParent(): Promise<void> {
  let isStopped = false;
  const tell = (told: Told) => void process.send?.(told);
  const play = async (asked: FolderAsked): Promise<void> => {
    try {
      const outcome = await runInFolder(asked, {
        progress: (done, total) => tell({ kind: "progress", done, total }),
        isStopped: () => isStopped,
      });
      tell({ kind: "played", outcome });
    } catch (error) {
      tell({ kind: "refused", refusal: refusalOf(error) });
    }
  };
  // Ctrl-C reaches everybody in the terminal: when to stop is the parent's to say
  process.on("SIGINT", () => {});
  process.on("message", (order: Order) => {
    if (order.kind === "stop") isStopped = true;
    else void play(order.asked);
  });
  await new Promise<void>((resolve) => process.once("disconnect", resolve));
}
