import * as z from "zod";

/** requirements RP-05, MB-04 */
export const messageKinds = ["INFO", "INTERFACE-CHANGE", "BLOCKER", "QUESTION", "RESOLVED"] as const;
export type MessageKind = (typeof messageKinds)[number];

/** A lead is woken for these; they stay open until somebody answers. */
export const urgentKinds: readonly MessageKind[] = ["BLOCKER", "QUESTION"];

/** Longer texts are stored whole and delivered as a pointer. */
export const MAX_INLINE = 4000;
export const MAX_TEXT = 200_000;

/** What a context of the client carries at once. */
export const MAX_CONTEXT = 2000;

export const messageRef = z.string().min(1).max(64);

export const shownMessage = z.object({
  id: z.string(),
  kind: z.enum(messageKinds),
  from: z.string(),
  to: z.string(),
  at: z.string(),
  task: z.string().optional(),
  reply_to: z.string().optional(),
  /** The reply that settled a question or a blocker. */
  answered_by: z.string().optional(),
  /** By the client's own message tool instead of ours. */
  mirrored: z.boolean().optional(),
  text: z.string(),
  /** Length of the whole text, where `text` is only its beginning. */
  characters: z.number().optional(),
});
export type ShownMessage = z.infer<typeof shownMessage>;
