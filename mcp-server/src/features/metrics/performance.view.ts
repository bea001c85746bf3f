import type { RenderView } from "../../kernel/operation.ts";
import { bar, shortNumber } from "./bars.view.ts";
import type { ShownMeasure } from "./metrics.schema.ts";

const BAR = 12;

export interface ShownPerformance {
  readonly team: string;
  readonly from?: string | undefined;
  readonly to: string;
  readonly measures: readonly ShownMeasure[];
  readonly rows?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** One line per measure; with `--explain` its formula and the source of its counts below. */
export function renderPerformance({ team, from, to, measures, rows = {} }: ShownPerformance, view: RenderView): string {
  const window = `${from === undefined ? "from the beginning" : `from ${from}`} to ${to}`;
  const table = view.table(
    ["measure", "value", "", "unit", "from"],
    measures.map((measure) => [
      view.paint("cyan", measure.name),
      measure.value === null ? view.paint("dim", "–") : view.paint("bold", shortNumber(measure.value)),
      measure.range === "0 to 1" && measure.value !== null ? paintShare(measure.value, view) : "",
      measure.unit,
      measure.missing === undefined ? basisWords(measure) : view.paint("yellow", measure.missing),
    ]),
  );
  const explained = measures.flatMap(({ name, formula, source, range, basis }) =>
    formula === undefined
      ? []
      : [
          "",
          `${view.paint("cyan", name)} = ${formula}`,
          `  range: ${range}; here: ${basisWords({ basis })}`,
          ...(source ? [`  ${source}`] : []),
        ],
  );
  const listed = Object.entries(rows).flatMap(([name, ids]) =>
    ids.length === 0 ? [] : [`${name.replaceAll("_", " ")}: ${ids.join(", ")}`],
  );
  return [
    `${view.paint("bold", team)}, ${window}`,
    table,
    ...explained,
    ...(listed.length > 0 ? ["", ...listed] : []),
  ].join("\n");
}

function paintShare(value: number, view: RenderView): string {
  const style = value >= 0.8 ? "green" : value >= 0.5 ? "yellow" : "red";
  return view.paint(style, bar(value, 1, BAR));
}

function basisWords({ basis }: Pick<ShownMeasure, "basis">): string {
  return Object.entries(basis)
    .map(([name, count]) => `${name.replaceAll("_", " ")} ${count}`)
    .join(", ");
}
