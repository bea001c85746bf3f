import {
  CustomChart,
  type CustomSeriesOption,
  LineChart,
  type LineSeriesOption,
  ScatterChart,
  type ScatterSeriesOption,
} from "echarts/charts";
import { GridComponent, type GridComponentOption } from "echarts/components";
import { type ComposeOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { plainLine } from "../../kernel/fence.ts";

use([CustomChart, LineChart, ScatterChart, GridComponent, SVGRenderer]);

type Option = ComposeOption<CustomSeriesOption | LineSeriesOption | ScatterSeriesOption | GridComponentOption>;

/** A value with its interval; without one, `low` and `high` are absent. */
export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

interface BoundedPoint {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface ChartGroup {
  readonly name: string;
  readonly points: readonly ChartPoint[];
}

export interface ChartText {
  /** Unique on the page: letters and dashes. */
  readonly id: string;
  /** What a reader who does not see it is told. */
  readonly label: string;
  readonly xName: string;
  readonly yName: string;
}

/** Colours are the page's own properties, so that one drawing serves a light and a dark page. */
const seriesColours = 8;
const dashes = ["solid", "dashed", "dotted", [10, 3, 2, 3]] as const;
/** Marks: as many as the examples have policies, drawn in a box of ten; with the dashes the first 28 pairs differ. */
const outlines = [
  "M10 5A5 5 0 1 1 0 5A5 5 0 1 1 10 5Z", // circle
  "M0 0H10V10H0Z",
  "M5 0L10 10H0Z",
  "M5 0L10 5L5 10L0 5Z",
  "M0 0H10L5 10Z",
  "M3.5 0H6.5V3.5H10V6.5H6.5V10H3.5V6.5H0V3.5H3.5Z", // plus
  "M0 0H10L5 5L10 10H0L5 5Z", // hourglass
];
const WIDTH = 760;
const HEIGHT = 340;

/** How the group of an index is drawn: everywhere alike, and not told apart by colour alone. */
export function styleOfGroup(index: number) {
  return {
    colour: `var(--series-${(index % seriesColours) + 1})`,
    dash: dashes[index % dashes.length] ?? "solid",
    /** Outline of its mark, as an SVG path in a box of ten. */
    outline: outlines[index % outlines.length] ?? "",
  };
}

/**
 * The library is given no text of others: it keeps widths of texts and names of series in plain objects, and a name such
 * as `__proto__` would change every object of the process.
 */
function seriesName(index: number): string {
  return `series ${index + 1}`;
}

/** Fits left of the axis. */
function shortName(name: string): string {
  return plainLine(name, 26);
}

/** Means over the sprints as lines, their intervals as bands. */
export function lineChart(groups: readonly ChartGroup[], text: ChartText): string {
  const isDense = Math.max(...groups.map(({ points }) => points.length)) > 25;
  const series = groups.flatMap(({ points }, index): (CustomSeriesOption | LineSeriesOption)[] => {
    const { colour, dash, outline } = styleOfGroup(index);
    const name = seriesName(index);
    const line: LineSeriesOption = {
      type: "line",
      name,
      data: points.map(({ x, y }) => [x, y]),
      lineStyle: { color: colour, width: 2, type: typeof dash === "string" ? dash : [...dash] },
      itemStyle: { color: colour, borderColor: colour },
      symbol: `path://${outline}`,
      symbolSize: 6,
      showSymbol: !isDense,
      silent: true,
    };
    return [...bandsOf(name, points, colour), line];
  });
  return draw(
    { xAxis: valueAxis(text.xName, { minInterval: 1, ...ends(groups) }), yAxis: fromZero(text.yName), series },
    text,
  );
}

/** One row per group: its mean as a mark, its interval as a bar. */
export function intervalChart(groups: readonly ChartGroup[], text: ChartText): string {
  const series = groups.flatMap(({ points }, index): (CustomSeriesOption | ScatterSeriesOption)[] => {
    const { colour, outline } = styleOfGroup(index);
    const name = seriesName(index);
    return [
      ...errorBars(
        name,
        points.map((point) => ({ ...point, x: index })),
        colour,
      ),
      {
        type: "scatter",
        name,
        data: points.map(({ y }) => [y, index]),
        symbol: `path://${outline}`,
        symbolSize: 11,
        itemStyle: { color: colour, opacity: 1 },
        silent: true,
      },
    ];
  });
  const yAxis = {
    type: "category" as const,
    data: groups.map((_, index) => `#${index}`),
    inverse: true,
    axisLabel: { color: "currentColor", interval: 0 },
    axisLine: { lineStyle: { color: "var(--axis)" } },
    axisTick: { show: false },
  };
  const svg = draw(
    { xAxis: { ...valueAxis(text.xName), min: 0 }, yAxis, series, grid: { left: 190, right: 24, top: 12, bottom: 52 } },
    text,
    90 + 40 * groups.length,
  );
  return svg.replace(
    />#(\d+)<\/text>/g,
    (_, index: string) => `>${escapeHtml(shortName(groups[Number(index)]?.name ?? ""))}</text>`,
  );
}

/** Marks where x is a count; groups stand side by side within one count. */
export function scatterChart(groups: readonly ChartGroup[], text: ChartText): string {
  const shift = (index: number) => (groups.length < 2 ? 0 : (index / (groups.length - 1) - 0.5) * 0.5);
  const series = groups.flatMap(({ points }, index): (CustomSeriesOption | ScatterSeriesOption)[] => {
    const { colour, outline } = styleOfGroup(index);
    const name = seriesName(index);
    return [
      {
        type: "scatter",
        name,
        data: points.map(({ x, y }) => [x + shift(index), y]),
        symbol: `path://${outline}`,
        symbolSize: 10,
        itemStyle: { color: colour, opacity: 0.8 },
        silent: true,
      },
    ];
  });
  const { min, max } = ends(groups);
  const xAxis = valueAxis(text.xName, { minInterval: 1, min: min - 1, max: max + 1 });
  return draw({ xAxis, yAxis: fromZero(text.yName), series }, text);
}

function bandsOf(name: string, points: readonly ChartPoint[], colour: string): CustomSeriesOption[] {
  return segments(points).map((segment) => ({
    type: "custom",
    name,
    silent: true,
    clip: true,
    encode: { x: 0, y: [1, 2] },
    data: segment.map(({ x, low, high }) => [x, low, high]),
    renderItem: ({ dataIndex }, api) => {
      if (dataIndex > 0) return null;
      const edge = (y: (point: BoundedPoint) => number) => segment.map((point) => api.coord([point.x, y(point)]));
      return {
        type: "polygon",
        shape: { points: [...edge(({ high }) => high), ...edge(({ low }) => low).reverse()] },
        style: { fill: colour, opacity: 0.16 },
      };
    },
  }));
}

function errorBars(name: string, points: readonly ChartPoint[], colour: string): CustomSeriesOption[] {
  return segments(points).map((segment) => ({
    type: "custom",
    name,
    silent: true,
    clip: true,
    encode: { x: [1, 2], y: 0 },
    data: segment.map(({ x, low, high }) => [x, low, high]),
    renderItem: ({ dataIndex }, api) => {
      const point = segment[dataIndex];
      if (!point) return null;
      const [from, to] = [api.coord([point.low, point.x]), api.coord([point.high, point.x])];
      const [[x1 = 0, y1 = 0], [x2 = 0, y2 = 0]] = [from, to];
      return { type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colour, lineWidth: 3, opacity: 0.6 } };
    },
  }));
}

/** Neighbouring points that all have an interval. */
function segments(points: readonly ChartPoint[]): BoundedPoint[][] {
  const found: BoundedPoint[][] = [[]];
  for (const { x, y, low, high } of points)
    if (low === undefined || high === undefined) found.push([]);
    else found.at(-1)?.push({ x, y, low, high });
  return found.filter((segment) => segment.length > 0);
}

function ends(groups: readonly ChartGroup[]): { min: number; max: number } {
  const all = groups.flatMap(({ points }) => points.map(({ x }) => x));
  return { min: Math.min(...all), max: Math.max(...all) };
}

/** The part of an axis that differs from plot to plot. */
interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly minInterval?: number;
  readonly nameGap?: number;
}

function valueAxis(name: string, range: Range = {}) {
  return {
    type: "value" as const,
    name,
    nameLocation: "middle" as const,
    nameGap: 30,
    nameTextStyle: { color: "currentColor", fontSize: 13 },
    axisLabel: { color: "currentColor" },
    axisLine: { show: true, lineStyle: { color: "var(--axis)" } },
    splitLine: { lineStyle: { color: "var(--grid)" } },
    ...range,
  };
}

/** The bottom is zero: a cut axis makes small differences look large. */
function fromZero(name: string) {
  return valueAxis(name, { min: 0, nameGap: 44 });
}

function draw(option: Option, { id, label }: ChartText, height = HEIGHT): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "transparent",
      textStyle: { color: "currentColor", fontFamily: "inherit" },
      grid: { left: 64, right: 24, top: 16, bottom: 52 },
      ...option,
    });
    return asFigure(chart.renderToSVGString(), id, label);
  } finally {
    chart.dispose();
  }
}

/** Names of its own for ids, so that the same numbers give the same bytes; no styles for a pointer there is none of. */
function asFigure(svg: string, id: string, label: string): string {
  return svg
    .replace(/<style[^>]*>[\s\S]*?<\/style>\s*/g, "")
    .replace(/ (?:class="zr\d+-cls-\d+"|ecmeta_\w+="[^"]*")/g, "")
    .replace(/\bzr\d+-/g, `${id}-`)
    .replace(
      /^<svg width="(\d+)" height="(\d+)"/,
      `<svg role="img" aria-label="${escapeHtml(label)}" width="$1" height="$2"`,
    );
}

/** Text for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
