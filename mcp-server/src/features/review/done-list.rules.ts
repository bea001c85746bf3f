import type { JudgedItem } from "./verdict.rules.ts";

/**
 * One line of the list by which a unit is done (requirements DC-01 to DC-03). How it is known matters more than that:
 * `checked` by the server itself, `reviewed` by a fresh stranger with evidence, or only `attested` by whoever did it.
 */
export interface DoneLine {
  readonly item: string;
  readonly how: "checked" | "reviewed" | "attested";
  /** Absent while nobody has looked yet. */
  readonly ok?: boolean;
  /** Result of a gate, places of the evidence, or who says so. */
  readonly by?: string;
}

export interface DoneFacts {
  /** The last run of each gate. */
  readonly gates: readonly { readonly gate: string; readonly result: string }[];
  /** Of the last attempt: gates and scope passed, or not; undefined before its validation. */
  readonly validated: boolean | undefined;
  readonly items: readonly string[];
  /** The verdict on the frozen diff; undefined before there is one. */
  readonly review: { readonly key: string; readonly items: readonly JudgedItem[] } | undefined;
  /** Who has taken it without that, or over it. */
  readonly overriddenBy: string | undefined;
  readonly report:
    | {
        readonly agent: string;
        readonly boxes: readonly { readonly text: string; readonly checked: boolean }[];
        readonly files: readonly string[];
        readonly learnings: number;
      }
    | undefined;
  /** Paths of the frozen diff; undefined before. */
  readonly files: readonly string[] | undefined;
}

export function doneList(facts: DoneFacts): DoneLine[] {
  const { gates, validated, items, review, overriddenBy, report, files } = facts;
  const known = (ok: boolean | undefined) => (ok === undefined ? {} : { ok });
  return [
    ...gates.map(({ gate, result }) => ({
      item: `gate ${gate}`,
      how: "checked" as const,
      ok: result === "passed",
      by: result,
    })),
    { item: "changes within the scope only", how: "checked", ...known(validated) },
    ...items.map((item, index): DoneLine => {
      if (overriddenBy !== undefined) return { item, how: "attested", ok: true, by: `${overriddenBy}, a person` };
      const judged = review?.items.find(({ n }) => n === index + 1);
      if (!review || !judged) return { item, how: "reviewed" };
      const places = judged.evidence.map(({ path, line }) => `${path}:${line}`);
      return { item, how: "reviewed", ok: judged.verdict === "PASS", by: [review.key, ...places].join(" ") };
    }),
    ...(report?.boxes ?? []).map(({ text, checked }) => ({
      item: text,
      how: "attested" as const,
      ok: checked,
      by: report?.agent ?? "",
    })),
    ...handOver(report, files),
  ];
}

/** What others go on from: the files that were named are those that have changed, and something was learned or not. */
function handOver(report: DoneFacts["report"], files: DoneFacts["files"]): DoneLine[] {
  if (!report) return [];
  const unnamed = files?.filter((file) => !report.files.includes(file)) ?? [];
  const listed: DoneLine =
    files === undefined
      ? { item: "files touched are listed", how: "checked" }
      : {
          item: "files touched are listed",
          how: "checked",
          ok: unnamed.length === 0,
          ...(unnamed.length > 0 ? { by: `not named: ${unnamed.slice(0, 5).join(", ")}` } : {}),
        };
  return [listed, { item: `learnings written down: ${report.learnings}`, how: "attested", ok: true, by: report.agent }];
}
