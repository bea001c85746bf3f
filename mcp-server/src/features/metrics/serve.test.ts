import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { type Served, serveMetrics } from "./serve.ts";

interface Running {
  readonly url: URL;
  readonly ended: Promise<Served>;
  stop(): void;
}

async function start(scrape: () => Promise<string>): Promise<Running> {
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let ended: Promise<Served> | undefined;
  const url = await new Promise<string>((listening, failed) => {
    ended = serveMetrics({ port: 0, scrape, listening, stopped });
    ended.catch(failed);
  });
  if (!ended) throw new Error("it listens before it has begun");
  return { url: new URL(url), ended, stop };
}

async function ask(url: URL, { method = "GET", path = "/metrics", host = url.host } = {}) {
  const sent = request({ host: url.hostname, port: url.port, method, path, headers: { host } });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, text: await text(response) };
}

test("GET /metrics alone is answered, and by its own name alone (ME-04)", async () => {
  const { url, ended, stop } = await start(async () => "up 1\n");
  const metrics = await ask(url);
  expect([metrics.status, metrics.text]).toEqual([200, "up 1\n"]);
  expect(metrics.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  for (const host of [`localhost:${url.port}`, "127.0.0.1", "[::1]:9464"])
    expect((await ask(url, { host })).status).toBe(200);
  for (const host of ["rebound.example", `127.0.0.1.example:${url.port}`, "127.0.0.1@rebound.example"])
    expect((await ask(url, { host })).status).toBe(403);
  for (const path of ["/", "/metrics/", "/metricsx", "//metrics", "/..%2fmetrics"])
    expect((await ask(url, { path })).status).toBe(404);
  const posted = await ask(url, { method: "POST" });
  expect([posted.status, posted.headers.allow]).toEqual([405, "GET"]);
  expect((await ask(url, { path: "/metrics?name=x" })).status).toBe(200);
  stop();
  expect(await ended).toEqual({ port: Number(url.port), scrapes: 5, failures: 0, refusals: 9 });
});

test("a scrape that fails says so and the next is served; who asks at once shares one; the last is answered (ME-04)", async () => {
  let calls = 0;
  let release = () => {};
  const { url, ended, stop } = await start(() => {
    calls += 1;
    if (calls === 1) return Promise.reject(new Error("a secret of the store"));
    return new Promise<string>((resolve) => {
      release = () => resolve("up 1\n");
    });
  });
  const failed = await ask(url);
  expect([failed.status, failed.text]).toEqual([503, "The scrape failed.\n"]);
  const answers = Promise.all([ask(url), ask(url), ask(url)]);
  await expect.poll(() => calls, { timeout: 10_000 }).toBe(2);
  stop();
  release();
  const statuses = (await answers.catch(() => [])).map(({ status }) => status);
  expect(statuses).not.toContain(503);
  expect(calls).toBe(2);
  expect(await ended).toMatchObject({ failures: 1, refusals: 0 });
});

test("a port in use is refused with a way out", async () => {
  const { url, ended, stop } = await start(async () => "");
  const second = serveMetrics({
    port: Number(url.port),
    scrape: async () => "",
    listening: () => {},
    stopped: Promise.resolve(),
  });
  await expect(second).rejects.toThrow(`Port ${url.port} is in use.`);
  stop();
  await ended;
});
