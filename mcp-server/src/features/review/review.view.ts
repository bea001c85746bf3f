import type { ReviewRow } from "./review.store.ts";
import type { Issue, JudgedItem } from "./verdict.rules.ts";

/** What a reviewer has found, a line each: failed items, then issues. Both were written by the guard only. */
export function issuesOf(review: Pick<ReviewRow, "items" | "issues">): string[] {
  const items = JSON.parse(review.items ?? "[]") as JudgedItem[];
  const issues = JSON.parse(review.issues ?? "[]") as Issue[];
  return [
    ...items.filter((item) => item.verdict === "FAIL").map((item) => `ITEM ${item.n} ${item.text}`),
    ...issues.map((issue) => `${issue.blocking ? "BLOCKING" : "WARNING"} ${issue.text}`),
  ];
}
