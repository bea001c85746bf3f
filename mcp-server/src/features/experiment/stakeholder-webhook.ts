import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ProjectConfig } from "../../config/config.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { Output } from "./output.ts";
import { parseFeedback, type ReadFeedback, reviewFileOf } from "./stakeholder.ts";

type Settings = ProjectConfig["stakeholder_review"];

/**
 * A stakeholder's word from a run's folder, or asked for by webhook where there is no file: the answer becomes the file,
 * so that a run that goes on, or is played again with it, gives the same bytes (requirement AG-04).
 */
export function feedbackOf(settings: Settings, folder: string, output: Output): ReadFeedback {
  const read = (name: string) => {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  };
  return async (name, request) => {
    const given = read(name);
    if (given !== undefined || settings.feedback !== "webhook" || settings.webhook_url === undefined) return given;
    const payload = request ?? read(reviewFileOf(name));
    if (payload === undefined) return undefined;
    const hook = { ...settings, webhook_url: settings.webhook_url };
    const answer = await askWebhook(hook, { payload, file: name, meanwhile: () => read(name) });
    if (answer !== undefined) output.write(name, answer);
    return answer;
  };
}

export interface Webhook extends Pick<Settings, "webhook_retry_seconds" | "webhook_timeout_seconds"> {
  readonly webhook_url: string;
}

export interface Asking {
  readonly payload: string;
  /** Where an answer may be put instead. */
  readonly file: string;
  /** Looked at after each pause: a person may have answered by file. */
  readonly meanwhile: () => string | undefined;
}

/**
 * Posts the payload, and tries again after each pause while nobody answers: as many tries as pauses, at least one.
 * Undefined without an answer. Throws UNAVAILABLE for what no other try would mend, and INVALID_INPUT for an answer that
 * is no feedback.
 */
export async function askWebhook(hook: Webhook, asking: Asking): Promise<string | undefined> {
  const pauses = hook.webhook_retry_seconds.length > 0 ? hook.webhook_retry_seconds : [0];
  for (const seconds of pauses) {
    const answer = await tryOnce(hook, asking);
    if (answer !== undefined) return answer;
    await pause(seconds * 1000);
    const put = asking.meanwhile();
    if (put !== undefined) return put;
  }
  return undefined;
}

/** What a server says that is busy or begins anew; anything else of 4xx stays so. */
const passing = [408, 425, 429];

async function tryOnce(hook: Webhook, asking: Asking): Promise<string | undefined> {
  const place = placeOf(new URL(hook.webhook_url));
  const signal = AbortSignal.timeout(Math.ceil(hook.webhook_timeout_seconds * 1000));
  let status: number;
  let text: string;
  try {
    const response = await post(new URL(hook.webhook_url), asking, signal);
    status = response.status;
    text = await bodyOf(response, place);
  } catch (error) {
    if (error instanceof TeamwrightError) throw error;
    return undefined; // unreachable, cut off, or too slow
  }
  if (status >= 500 || passing.includes(status)) return undefined;
  if (status < 200 || status >= 300) throw refused(`${place} answered ${status}.`, asking.file);
  if (text.trim() === "") return undefined; // taken, and not decided yet
  parseFeedback(`The answer of ${place}`, text);
  return text;
}

const MOST_REDIRECTS = 3;

/** Redirects are followed that keep the method and stay with the host. */
async function post(url: URL, asking: Asking, signal: AbortSignal, redirects = 0): Promise<Response> {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw refused(`${placeOf(url)} is no address of a webhook: it has to be http or https.`, asking.file);
  const response = await fetch(url, {
    method: "POST",
    body: asking.payload,
    headers: { "content-type": "application/json", accept: "application/json" },
    redirect: "manual",
    signal,
  });
  const location = response.status >= 300 && response.status < 400 ? response.headers.get("location") : null;
  if (location === null) return response;
  await response.body?.cancel();
  const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  const stays =
    next !== undefined && next.host === url.host && (next.protocol === url.protocol || next.protocol === "https:");
  if (!next || !stays || ![307, 308].includes(response.status) || redirects >= MOST_REDIRECTS)
    throw refused(
      `${placeOf(url)} answered ${response.status}, which leads to ${next ? placeOf(next) : "no address"} and is not followed.`,
      asking.file,
    );
  return post(next, asking, signal, redirects + 1);
}

const MOST_BYTES = 1_000_000;

async function bodyOf(response: Response, place: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MOST_BYTES) {
      throw new TeamwrightError("INVALID_INPUT", `The answer of ${place} is longer than ${MOST_BYTES} bytes.`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Without its query, which may hold a secret. */
function placeOf({ origin, pathname, protocol }: URL): string {
  return origin === "null" ? `${protocol}…` : `${origin}${pathname}`;
}

function refused(message: string, file: string): TeamwrightError {
  const otherwise = `The run goes on when that is mended, or the answer is in ${file}.`;
  return new TeamwrightError("UNAVAILABLE", `${message} ${otherwise}`, hint("experiment_run", "goes on from there"));
}
