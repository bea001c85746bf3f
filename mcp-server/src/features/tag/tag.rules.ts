import { pointsElsewhere, saysNothing } from "../report/parse-words.rules.ts";

/** A tag that only points elsewhere says nothing that could be given to anybody (requirements RP-04, RP-09). */
export function isPointless(text: string): boolean {
  const said = text.trim();
  return !/[\p{L}\p{N}]/u.test(said) || saysNothing(said) || pointsElsewhere(said);
}

/** Title of the task a tag leads to: what is wanted, from its own first words. */
export function followUpTitle(kind: string, target: string, text: string): string {
  const first = text.trim().split(/\n|(?<=[.!?])\s/)[0] ?? "";
  const short = first.length > 90 ? `${first.slice(0, 87).replace(/\s+\S*$/, "")}…` : first;
  return `${kind === "BLOCKER" ? "Unblock" : "Look into"} for ${target}: ${short}`;
}

/** What a task is blocked with by a BLOCKER tag; it comes off when the tag's task is done. */
export function blockReason(tag: { readonly target: string | null; readonly text: string }): string {
  const reason = `${tag.target ?? "somebody"} is needed: ${tag.text}`.slice(0, 1000);
  return reason.replace(/[\uD800-\uDBFF]$/, ""); // half a sign would come back from the store as another
}
