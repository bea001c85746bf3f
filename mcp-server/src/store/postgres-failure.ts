import { hint, TeamwrightError } from "../kernel/errors.ts";

const OTHERS_WRITE = ["40001", "40P01", "55P03"]; // serialization failure, deadlock, lock timeout

/** The connection is gone, and with it what was not committed. */
export class ConnectionLost extends TeamwrightError {}

/** Contention: the whole transaction may be tried again. */
export function isContention(error: unknown): boolean {
  return OTHERS_WRITE.includes(codeOf(error));
}

/** A new random id that somebody has already; the next try draws another. */
export function isKeyTaken(error: unknown): boolean {
  const detail = typeof error === "object" && error !== null && "detail" in error ? String(error.detail) : "";
  return codeOf(error) === "23505" && detail.startsWith("Key (key)=");
}

const LOOK_AT_URL = "look at storage.url in teamwright.yaml";
const PASSWORD_PLACES = "storage.url, PGPASSWORD or ~/.pgpass may hold it";

/** By SQLSTATE or the system's error code. */
const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: `no host of this name is known; ${LOOK_AT_URL}`,
  EAI_AGAIN: "the name of the host cannot be looked up at the moment",
  ECONNREFUSED: `no database server answers there; is it running? If so, ${LOOK_AT_URL}`,
  ETIMEDOUT: `the host does not answer; ${LOOK_AT_URL}`,
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the host's network cannot be reached",
  "28P01": `the database server refuses the password of this user; ${PASSWORD_PLACES}`,
  "3D000": "the server has no database of this name; it must be created first (createdb)",
  "53100": "the database server's disk is full",
  "53300": "the database server has no connection free",
  "57P01": "the database server closed the connection",
  "57P02": "the database server closed the connection",
  "57P03": "the database server is starting or stopping",
  "25P03": "the database server closed a connection that stood still for too long in the middle of a change",
  "25006": "the database accepts no writes",
};

/** Failures that carry no code. */
const worded: readonly (readonly [RegExp, string])[] = [
  [/^(Connection terminated due to connection timeout|timeout expired)/, `the host does not answer; ${LOOK_AT_URL}`],
  [/^timeout exceeded when trying to connect/, "no connection to the database server came free in time"],
  [/^Connection terminated|is not queryable|^Client was closed/, "the connection broke"],
  [/password must be a (non-empty )?string/, `the database server asks for a password; ${PASSWORD_PLACES}`],
  [
    /^Invalid URL|URI malformed/,
    "storage.url in teamwright.yaml is no address; marks such as @ : / # ? % in a password are written as %40 %3A %2F %23 %3F %25",
  ],
];

/** Why the server cannot be used, as a clause without a full stop; undefined for what is not the server's doing. */
export function serverReason(error: unknown): string | undefined {
  const code = codeOf(error);
  if (reasons[code] !== undefined) return reasons[code];
  if (/^08/.test(code) || /^(ECONN|EPIPE)/.test(code)) return "the connection broke";
  const text = textOf(error);
  // pg_hba.conf, expired accounts, missing rights: the server's own words name what an administrator has to look for
  if (/^28/.test(code)) return `the database server refuses this user: ${text}`;
  if (code === "42501") return `this user may not do what Teamwright needs: ${text}`;
  return worded.find(([pattern]) => pattern.test(text))?.[1];
}

/** True when the session with the server has ended, whatever it was doing. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (/^(08|57P0|25P03)/.test(code) || /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET)/.test(code)) return true;
  return /^Connection terminated|is not queryable|^Client was closed/.test(textOf(error));
}

/** What a caller is told when the store cannot be had. */
export function notAvailable(location: string, reason: string): TeamwrightError {
  return new TeamwrightError(
    "UNAVAILABLE",
    `The store at ${location} is not available: ${reason}. Nothing was written.`,
    hint("doctor_check", "examines the store"),
  );
}

/** What a caller is told whose commit got no answer. */
export function outcomeUnknown(location: string): TeamwrightError {
  return new TeamwrightError(
    "UNAVAILABLE",
    `The connection to ${location} broke while the change was being committed, so it may have been written or not: look before you repeat it. With the same idempotency_key it is safe to repeat.`,
    hint("brief_show", "shows where you stand"),
  );
}

/** SQLSTATE or the system's error code; empty when there is none. */
export function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `postgres://user@host:port/database`: everything else of a URL can hold a secret. */
export function withoutSecrets(url: string): string {
  try {
    const { username, host, pathname, hash } = new URL(url);
    // an unescaped / ? or # in a password shifts the rest of it into the path
    if (pathname.includes("@") || hash !== "") return "postgres://…";
    return `postgres://${username === "" ? "" : `${username}@`}${host}${pathname}`;
  } catch {
    return "postgres://…";
  }
}
