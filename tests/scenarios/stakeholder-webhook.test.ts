import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { folderOutput } from "../../mcp-server/src/features/experiment/output.ts";
import { askWebhook, feedbackOf } from "../../mcp-server/src/features/experiment/stakeholder-webhook.ts";
import { configOf, type Played, play, playAlone } from "../support/experiment-play.ts";
import { everything } from "../support/experiments.ts";
import { openWorld } from "../support/world.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

type Handler = (response: ServerResponse, request: IncomingMessage, asked: number) => void;

/** A stakeholder's server on a port of its own; `asked` are the bodies it got. */
async function stakeholder(handle: Handler): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      asked.push(Buffer.concat(parts).toString());
      handle(response, request, asked.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/review?token=secret`, asked };
}

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "teamwright-webhook-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const word = JSON.stringify({
  decision: "approved_with_changes",
  feedback_text: "Good, and one thing more.",
  new_stories: [{ title: "Add a map", story_points: 2 }],
  respondent: "Ira",
});
const answers: Handler = (response) => response.end(word);

const hook = (url: string, timeout = 20) => ({
  webhook_url: url,
  webhook_retry_seconds: [0.01, 0.02, 0.03],
  webhook_timeout_seconds: timeout,
});
const asking = { payload: "{}", file: "stakeholder-feedback-sprint-2.json", meanwhile: () => undefined };

function textFor(url: string, more = "timeout_action: po_proxy"): string {
  const { webhook_retry_seconds: pauses } = hook(url);
  const settings = `enabled: true, cadence_sprints: 2, feedback: webhook, webhook_url: "${url}", webhook_retry_seconds: [${pauses}], webhook_timeout_seconds: 20, ${more}`;
  return everything.replace(/stakeholder_review: .*/, `stakeholder_review: { ${settings} }`);
}

/** A run in a world of its own, with its feedback from the folder. */
async function inFolder(text: string, folder: string, sprints = 3): Promise<Played> {
  const feedback = feedbackOf(configOf(text).stakeholder_review, folder, folderOutput(folder));
  return playAlone({ text, sprints, feedback });
}

describe("a stakeholder's webhook (AG-04)", () => {
  test("is tried again until it answers, gets what the file shows, and its answer counts as a file's", async () => {
    const server = await stakeholder((response, request, asked) => {
      expect(request).toMatchObject({ method: "POST", headers: { "content-type": "application/json" } });
      if (asked < 3) response.writeHead(503).end("not now");
      else answers(response, request, asked);
    });
    const folder = aFolder();
    const asked = await inFolder(textFor(server.url), folder);
    expect(server.asked).toHaveLength(3);
    expect(server.asked[0]).toBe(asked.files["stakeholder-review-sprint-2.json"]);
    expect(asked.report.stakeholder_reviews).toEqual([
      { sprint: 2, decision: "approved_with_changes", by: "stakeholder", note: "Ira: Good, and one thing more." },
    ]);
    expect(Object.values(asked.files).some((text) => text.includes("Add a map"))).toBe(true);
    expect(readFileSync(join(folder, "stakeholder-feedback-sprint-2.json"), "utf8")).toBe(word);
    // played again with the file nobody is asked, and every byte is the same
    const again = await inFolder(textFor(server.url), folder);
    expect(server.asked).toHaveLength(3);
    expect(again.files).toEqual(asked.files);
  });

  test("that never answers leads to the time-out's action, as a file that is not there", async () => {
    const server = await stakeholder(() => {});
    const started = Date.now();
    expect(await askWebhook(hook(server.url, 0.2), asking)).toBeUndefined();
    expect(Date.now() - started).toBeGreaterThan(500);
    expect(server.asked).toHaveLength(3);
    const text = textFor(server.url).replace("webhook_timeout_seconds: 20", "webhook_timeout_seconds: 0.05");
    const { report, files } = await inFolder(text, aFolder());
    expect(report.stakeholder_reviews).toMatchObject([{ sprint: 2, by: "po_proxy" }]);
    const byFile = everything.replace("cadence_sprints: 2", "cadence_sprints: 2, feedback: file");
    expect((await playAlone({ text: byFile })).files).toEqual(files);
  });

  test("blocks the run where that is the action, and is asked again when it goes on", async () => {
    let isThere = false;
    const server = await stakeholder((response, request, asked) => {
      if (isThere) answers(response, request, asked);
      else response.writeHead(204).end(); // taken, not decided
    });
    const text = textFor(server.url, "timeout_action: block");
    const folder = aFolder();
    const output = folderOutput(folder);
    const feedback = feedbackOf(configOf(text).stakeholder_review, folder, output);
    await using world = await openWorld();
    const stopped = await play(world, { text, sprints: 3, feedback });
    expect(stopped.outcome.state).toMatchObject({ sprint: 2, waitsFor: { sprint: 2 } });
    expect(server.asked).toHaveLength(3);
    const request = "stakeholder-review-sprint-2.json";
    output.write(request, stopped.files[request] ?? "");
    isThere = true;
    const on = await play(world, { text, sprints: 3, feedback });
    expect(on.outcome.state.sprint).toBe(3);
    expect(server.asked.slice(3)).toEqual([stopped.files[request]]);
    expect(on.report.stakeholder_reviews).toMatchObject([{ by: "stakeholder", decision: "approved_with_changes" }]);
  });

  test("gives way to a file that a person has put there meanwhile", async () => {
    const folder = aFolder();
    const server = await stakeholder((response) => {
      writeFileSync(join(folder, "stakeholder-feedback-sprint-2.json"), word);
      response.writeHead(500).end();
    });
    const { report } = await inFolder(textFor(server.url), folder, 2);
    expect(server.asked).toHaveLength(1);
    expect(report.stakeholder_reviews).toMatchObject([{ by: "stakeholder" }]);
  });

  test("is refused in words for what no other try would mend, and no secret is told", async () => {
    const other = await stakeholder(answers);
    const cases: readonly [string, Handler, object][] = [
      [
        "another host",
        (response) => response.writeHead(307, { location: other.url.replace("127.0.0.1", "localhost") }).end(),
        {
          code: "UNAVAILABLE",
          message: expect.stringMatching(/307, which leads to http:\/\/localhost:\d+\/review and is not followed/),
        },
      ],
      [
        "a method lost",
        (response) => response.writeHead(302, { location: "/elsewhere" }).end(),
        { code: "UNAVAILABLE" },
      ],
      ["round and round", (response) => response.writeHead(308, { location: "/" }).end(), { code: "UNAVAILABLE" }],
      [
        "unknown",
        (response) => response.writeHead(404).end(),
        {
          code: "UNAVAILABLE",
          message: expect.stringMatching(`answered 404.*${asking.file}`),
        },
      ],
      [
        "no JSON",
        (response) => response.end("<p>yes</p>"),
        { code: "INVALID_INPUT", message: expect.stringContaining("is no JSON") },
      ],
      [
        "no decision",
        (response) => response.end(`{"decision":"perhaps"}`),
        { code: "INVALID_INPUT", problems: [expect.stringContaining("decision")] },
      ],
      [
        "too long",
        (response) => response.end("x".repeat(1_100_000)),
        { code: "INVALID_INPUT", message: expect.stringContaining("longer") },
      ],
    ];
    for (const [name, handle, refusal] of cases) {
      const server = await stakeholder(handle);
      const error = await askWebhook(hook(server.url), asking).then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      expect(error, name).toMatchObject(refusal);
      expect(error?.message, name).not.toContain("secret");
    }
    expect(other.asked).toEqual([]);
    const followed = await stakeholder((response, request, asked) => {
      if (request.url === "/new") answers(response, request, asked);
      else response.writeHead(308, { location: "/new" }).end();
    });
    expect(await askWebhook(hook(followed.url), asking)).toBe(word);
    expect(followed.asked).toEqual(["{}", "{}"]);
  });

  test.each(["ftp://example.org/", "file:///etc/passwd", "http://ann:secret@example.org/", "javascript:alert(1)"])(
    "%s is no address of one",
    (url) => {
      expect(() => configOf(textFor(url))).toThrow(/webhook_url/);
    },
  );
});
