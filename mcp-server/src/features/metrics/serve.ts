import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hint, TeamwrightError } from "../../kernel/errors.ts";

const HOST = "127.0.0.1";
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
/** Whoever scrapes has had its answer long before. */
const LAST_ANSWERS_MS = 5000;
const LOOK_MS = 50;
/** A scraper sends a few lines, and at once. */
const REQUEST_MS = 10_000;
const MOST_CONNECTIONS = 64;

export interface ServeOptions {
  /** 0 for a free one. */
  readonly port: number;
  /** The text of one scrape; called once for all who ask meanwhile. */
  scrape(): Promise<string>;
  listening(url: string): void;
  /** When this is settled, the last answers are given and the port is left. */
  readonly stopped: Promise<unknown>;
}

export interface Served {
  readonly port: number;
  /** Scrapes that were answered, scrapes that failed, and requests for anything else. */
  readonly scrapes: number;
  readonly failures: number;
  readonly refusals: number;
}

/**
 * Answers `GET /metrics` on this machine's own address until it is stopped (requirement ME-04). A page in a browser
 * that has its name point here is told apart by the Host header. Throws CONFLICT when the port is taken.
 */
export async function serveMetrics({ port: wanted, scrape, listening, stopped }: ServeOptions): Promise<Served> {
  const counts: Counts = { scrapes: 0, failures: 0, refusals: 0 };
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, answerer(scrape, counts));
  server.maxConnections = MOST_CONNECTIONS;
  server.listen(wanted, HOST);
  await once(server, "listening").catch((error: unknown) => refuseListening(wanted, error));
  const { port } = server.address() as AddressInfo;
  listening(`http://${HOST}:${port}/metrics`);
  await stopped;
  const closed = once(server, "close");
  server.close();
  // a connection is kept for the next scrape: after its last answer there is none
  const idle = setInterval(() => server.closeIdleConnections(), LOOK_MS);
  const late = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
  return { port, ...counts };
}

type Counts = { -readonly [key in Exclude<keyof Served, "port">]: number };

function answerer(scrape: () => Promise<string>, counts: Counts) {
  let running: Promise<string> | undefined;
  const shared = () => {
    running ??= scrape().finally(() => {
      running = undefined;
    });
    return running;
  };
  return (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOf(request);
    if (refusal) {
      counts.refusals += 1;
      answer(response, refusal.status, `${refusal.text}\n`, refusal.allow ? { allow: refusal.allow } : {});
      return;
    }
    shared().then(
      (text) => {
        counts.scrapes += 1;
        answer(response, 200, text, { "content-type": CONTENT_TYPE });
      },
      (error: unknown) => {
        counts.failures += 1;
        answer(response, 503, `${error instanceof TeamwrightError ? error.message : "The scrape failed."}\n`);
      },
    );
  };
}

interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly allow?: string;
}

function refusalOf({ method, url = "", headers }: IncomingMessage): Refusal | undefined {
  if (!isOwnHost(headers.host)) return { status: 403, text: "This address is for this machine alone." };
  if (url.split("?")[0] !== "/metrics") return { status: 404, text: "Metrics are at /metrics." };
  if (method !== "GET") return { status: 405, text: "GET alone is answered.", allow: "GET" };
  return undefined;
}

function isOwnHost(host: string | undefined): boolean {
  return /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i.test(host ?? "");
}

function answer(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(text);
}

function refuseListening(port: number, error: unknown): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = { EADDRINUSE: "is in use", EACCES: "needs more rights" }[code];
  if (reason === undefined) throw error;
  throw new TeamwrightError(
    "CONFLICT",
    `Port ${port} ${reason}.`,
    hint("metrics_serve", "with another port, or 0 for a free one"),
  );
}
