/** An instant at the precision of the file; `nanos` is the part of a second, 0..999,999,999. */
export interface Instant {
  seconds: number;
  nanos: number;
  zoned: boolean;
}

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)? ?(Z|z|UTC|[+-]\d\d:?\d\d)?$/;

/** Reads RFC 3339 with any offset and 0–9 fraction digits, and the SQL style of backups; undefined when it is no time. */
export function findInstant(text: string): Instant | undefined {
  const match = TIME.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone] = match;
  const midnight = new Date(0);
  midnight.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (midnight.getUTCMonth() !== Number(month) - 1 || midnight.getUTCDate() !== Number(day)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const local = midnight.getTime() / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  return {
    seconds: local - offsetSeconds(zone),
    nanos: Number(fraction.padEnd(9, "0")),
    zoned: zone !== undefined,
  };
}

function offsetSeconds(zone: string | undefined): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? "");
  if (match === null) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 3600 + Number(match[3]) * 60);
}

/** Go writes year 1 for an unset time; bd stores it as the epoch (beads-compat §1.9). */
export function isZeroTime(instant: Instant): boolean {
  return instant.seconds < -62_100_000_000;
}

export function instantMs(instant: Instant): number {
  return instant.seconds * 1000 + Math.floor(instant.nanos / 1_000_000);
}

export function instantFromMs(ms: number): Instant {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.floor(ms - seconds * 1000) * 1_000_000, zoned: true };
}

/**
 * Orders two instants at full precision, except that one second is `same` when either side has whole seconds: bd 1.x
 * keeps no fraction, so such a pair cannot be ordered (beads-compat §6.1).
 */
export function compareInstants(left: Instant, right: Instant): "older" | "same" | "newer" {
  if (left.seconds !== right.seconds) return left.seconds < right.seconds ? "older" : "newer";
  if (left.nanos === right.nanos || left.nanos === 0 || right.nanos === 0) return "same";
  return left.nanos < right.nanos ? "older" : "newer";
}

export function floorSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** Whole-second UTC with `Z`, floored: bd would round a fraction of .5 up (beads-compat §6.2). */
export function formatSecond(ms: number): string {
  const clamped = Math.min(Math.max(floorSecond(ms), -62_167_219_200_000), 253_402_300_799_000);
  return `${new Date(clamped).toISOString().slice(0, 19)}Z`;
}
