const eighths = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"] as const;
const heights = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/** A bar of at most `width` cells, as long as the value is of the most; empty for nothing. */
export function bar(value: number, most: number, width: number): string {
  if (!(value > 0) || !(most > 0)) return "";
  const parts = Math.max(1, Math.round(Math.min(1, value / most) * width * 8));
  return "█".repeat(Math.floor(parts / 8)) + (parts % 8 === 0 ? "" : (eighths[(parts % 8) - 1] ?? ""));
}

/** One cell per value, from zero to the largest; a dot where there is none. */
export function sparkline(values: readonly (number | null)[], most = Math.max(0, ...values.map(Number))): string {
  return values
    .map((value) => {
      if (value === null || !Number.isFinite(value)) return "·";
      const step = most > 0 ? Math.round((Math.min(Math.max(value, 0), most) / most) * (heights.length - 1)) : 0;
      return heights[step] ?? heights[0];
    })
    .join("");
}

/** `3.25`, `12`, `–` for null: two places at most. */
export function shortNumber(value: number | null): string {
  return value === null ? "–" : String(Math.round(value * 100) / 100);
}

/** `45 s`, `12 min`, `3.5 h`, `2.1 d` */
export function duration(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 360) / 10} h`;
  return `${Math.round(seconds / 8640) / 10} d`;
}

/** `42 %`, `–` for null. */
export function percent(share: number | null): string {
  return share === null ? "–" : `${Math.round(share * 1000) / 10} %`;
}
