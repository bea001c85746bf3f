/** Hybrid logical clock: `<13-digit ms>-<4-hex counter>-<replica>`; text order is causal order within a store. */
export interface HybridTime {
  readonly ms: number;
  readonly counter: number;
  readonly replica: string;
}

export function formatHybridTime(time: HybridTime): string {
  return `${String(time.ms).padStart(13, "0")}-${time.counter.toString(16).padStart(4, "0")}-${time.replica}`;
}

export function parseHybridTime(text: string): HybridTime {
  const [ms = "0", counter = "0", ...replica] = text.split("-");
  return { ms: Number(ms), counter: Number.parseInt(counter, 16), replica: replica.join("-") };
}

/** The next stamp: never earlier than the wall clock nor than the last stamp seen. */
export function nextHybridTime(last: HybridTime | undefined, nowMs: number, replica: string): HybridTime {
  if (!last || nowMs > last.ms) return { ms: nowMs, counter: 0, replica };
  if (last.counter >= 0xffff) return { ms: last.ms + 1, counter: 0, replica };
  return { ms: last.ms, counter: last.counter + 1, replica };
}
