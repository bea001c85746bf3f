import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Principal } from "../../kernel/principal.ts";
import {
  addressWords,
  type Correspondent,
  checkChannel,
  checkSender,
  chooseRecipient,
  kindOf,
  parseAddress,
  readClientMessage,
  type Sending,
  settles,
} from "./message.rules.ts";
import { MAX_CONTEXT, type MessageKind, messageKinds } from "./message.schema.ts";
import type { MessageRow } from "./message.store.ts";
import { composeNews, toShown } from "./message.view.ts";

const ada: Principal = { kind: "agent", key: "agent:a1", name: "ada", agentId: "a1", session: "s1", team: "alpha" };
const lead: Principal = { kind: "lead", key: "lead:s1", name: "lead", session: "s1" };
const code = (work: () => unknown) => {
  try {
    work();
    return "accepted";
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

test("an address is the lead, a channel, or a name or id of an agent", () => {
  expect(["lead", "main", "Team-Lead"].map((to) => parseAddress(to).kind)).toEqual(["lead", "lead", "lead"]);
  expect(parseAddress("team:alpha")).toEqual({ kind: "channel", channel: "team:alpha", team: "alpha" });
  expect(parseAddress("portfolio")).toEqual({ kind: "channel", channel: "portfolio" });
  expect(parseAddress(" agent:a1 ")).toEqual({ kind: "agent", name: "a1" });
});

describe("who may write where (MB-01, TZ-03)", () => {
  const send = (sender: Principal, channel: string, kind: MessageKind, more: Partial<Sending> = {}) =>
    code(() =>
      checkChannel({ sender, kind, channel, teamCount: 2, repliesThere: false, isCoordinated: true, ...more }),
    );

  test("an agent: its own team always, all teams with what binds them, coordination never", () => {
    expect(messageKinds.map((kind) => send(ada, "team:alpha", kind))).toEqual(messageKinds.map(() => "accepted"));
    expect(messageKinds.map((kind) => send(ada, "team:beta", kind))).toEqual(messageKinds.map(() => "FORBIDDEN"));
    expect(messageKinds.map((kind) => [kind, send(ada, "portfolio", kind)])).toEqual([
      ["INFO", "RULE_VIOLATED"],
      ["INTERFACE-CHANGE", "accepted"],
      ["BLOCKER", "accepted"],
      ["QUESTION", "RULE_VIOLATED"],
      ["RESOLVED", "RULE_VIOLATED"],
    ]);
    expect(send(ada, "portfolio", "RESOLVED", { repliesThere: true })).toBe("accepted");
    expect(send(ada, "portfolio", "INFO", { teamCount: 1 })).toBe("accepted");
    expect(messageKinds.map((kind) => send(ada, "coordination", kind))).toEqual(messageKinds.map(() => "FORBIDDEN"));
  });

  test("leads, people and coordinators: everywhere", () => {
    const staff: Principal = { ...ada, role: "staff-engineer" };
    for (const sender of [lead, { kind: "human", key: "human:pat", name: "pat" } as const, staff])
      for (const channel of ["team:beta", "portfolio", "coordination"])
        expect(messageKinds.map((kind) => send(sender, channel, kind))).toEqual(messageKinds.map(() => "accepted"));
  });

  test("coordination is no channel where teams are not coordinated (CO-05)", () => {
    const off = { isCoordinated: false };
    for (const sender of [lead, { kind: "human", key: "human:pat", name: "pat" } as const])
      expect(send(sender, "coordination", "INFO", off)).toBe("RULE_VIOLATED");
    expect(send(ada, "coordination", "INFO", off)).toBe("FORBIDDEN");
    expect(send(lead, "portfolio", "INFO", off)).toBe("accepted");
  });

  test("a reviewer speaks through its verdict alone", () => {
    expect(code(() => checkSender({ ...ada, role: "adversarial-reviewer" }))).toBe("FORBIDDEN");
    expect(code(() => checkSender(ada))).toBe("accepted");
  });
});

describe("who is meant by a name", () => {
  const one = (key: string | undefined, name: string, isAlive: boolean, role: string | null = null): Correspondent => ({
    key: key && `agent:${key}`,
    name,
    role,
    isAlive,
    ...(key ? { agentId: key } : {}),
  });

  test("the id, the newest living one of the name, the last one that was, a declared name", () => {
    const known = [
      one(undefined, "dan", false),
      one("b1", "bob", false),
      one("b2", "bob", true),
      one("c1", "cy", false),
    ];
    expect(chooseRecipient(ada, "bob", known).key).toBe("agent:b2");
    expect(chooseRecipient(ada, "b1", known).key).toBe("agent:b1");
    expect(chooseRecipient(ada, "cy", known)).toMatchObject({ key: "agent:c1", isAlive: false });
    expect(chooseRecipient(ada, "dan", known).key).toBeUndefined();
  });

  test("nobody, a reviewer and oneself are refused; the nearest name is named", () => {
    const known = [one("a1", "ada", true), one("b1", "bob", true), one("r1", "rex", true, "adversarial-reviewer")];
    expect(() => chooseRecipient(ada, "bop", known)).toThrow(/did you mean bob\?/);
    expect(code(() => chooseRecipient(ada, "zacharias", known))).toBe("NOT_FOUND");
    expect(["rex", "r1"].map((name) => code(() => chooseRecipient(ada, name, known)))).toEqual([
      "FORBIDDEN",
      "FORBIDDEN",
    ]);
    expect(["ada", "a1"].map((name) => code(() => chooseRecipient(ada, name, known)))).toEqual([
      "RULE_VIOLATED",
      "RULE_VIOLATED",
    ]);
    expect(() => chooseRecipient(ada, "rax", known)).not.toThrow(/rex/);
  });
});

describe("the client's own message (MB-05)", () => {
  test("both spellings, structured ones, broadcasts", () => {
    const today = { to: "bob", message: "BLOCKER: no key", summary: "no key" };
    expect(readClientMessage(today)).toEqual({
      to: "bob",
      text: "BLOCKER: no key",
      kind: "BLOCKER",
      isBroadcast: false,
    });
    expect(readClientMessage({ type: "message", recipient: "bob", content: "done", summary: "s" })).toMatchObject({
      to: "bob",
      text: "done",
      kind: "INFO",
      isBroadcast: false,
    });
    expect(readClientMessage({ ...today, recipient: "bob", content: "BLOCKER: no key" }).text).toBe("BLOCKER: no key");
    expect(readClientMessage({ type: "broadcast", content: "hello" }).isBroadcast).toBe(true);
    expect(readClientMessage({ to: "*", message: "hello" }).isBroadcast).toBe(true);
    for (const message of [{ type: "shutdown_request", reason: "done" }, '{"type":"shutdown_request","reason":"done"}'])
      expect(readClientMessage({ to: "bob", message }).text).toBe("shutdown_request: done");
  });

  test("any input is read", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (input) => {
        expect(messageKinds).toContain(readClientMessage(input).kind);
      }),
    );
  });

  test("a kind is the first word, in capitals", () => {
    const kinds = ["[QUESTION] who?", "**INTERFACE-CHANGE** x", "BLOCKER", "Blocker is gone", "INFORMAL", ""].map(
      kindOf,
    );
    expect(kinds).toEqual(["QUESTION", "INTERFACE-CHANGE", "BLOCKER", "INFO", "INFO", "INFO"]);
  });

  test("a teammate is found under its name, its address and its id", () => {
    expect(addressWords("Rex@session-1f")).toEqual(["rex@session-1f", "rex"]);
    expect(addressWords("agent-a1b2")).toEqual(["agent-a1b2", "a1b2"]);
    expect(addressWords(" ")).toEqual([]);
  });
});

test("any word of another settles a question, only RESOLVED a blocker (MB-04)", () => {
  expect(settles("QUESTION", "INFO", false)).toBe(true);
  expect(settles("QUESTION", "INFO", true)).toBe(false);
  expect(settles("QUESTION", "QUESTION", false)).toBe(false);
  expect(settles("QUESTION", "RESOLVED", true)).toBe(true);
  expect(settles("BLOCKER", "INFO", false)).toBe(false);
  expect(settles("BLOCKER", "RESOLVED", true)).toBe(true);
  expect(settles("INFO", "RESOLVED", false)).toBe(false);
});

function row(id: number, text: string): MessageRow {
  return {
    id,
    key: `msg-${String(id).padStart(8, "0")}`,
    kind: "INFO",
    channel: "team:alpha",
    recipient_name: null,
    recipient_key: null,
    sender_key: "agent:b",
    sender_name: "bob",
    sender_generation: 1,
    session: "s1",
    run_id: null,
    task_key: null,
    team: "alpha",
    text,
    urgent: 0,
    reply_to: null,
    answered_by: null,
    source: "tool",
    created_at: 0,
    read_at: null,
    read_by: null,
  };
}

describe("what a context says of unread messages", () => {
  test("it stays within its length, tells the oldest first and counts the rest", () => {
    const texts = fc.array(fc.oneof(fc.string(), fc.string({ minLength: 500, maxLength: 9000 })), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(texts, fc.nat(100), (written, more) => {
        const rows = written.map((text, index) => row(index + 1, text));
        const news = composeNews(rows, rows.length + more, new Map(), MAX_CONTEXT);
        expect(news.text.length).toBeLessThanOrEqual(MAX_CONTEXT);
        expect(news.shown).toBeGreaterThanOrEqual(1);
        for (const [index, { key, text }] of rows.entries()) {
          if (index >= news.shown) break;
          const [first] = text.split("\n");
          const isTold = news.text.includes(`${key} INFO from bob`);
          expect([key, isTold]).toEqual([key, true]);
          // what is cut says how to get it whole
          expect(news.text.includes(text) || news.text.includes(`message_inbox with id ${key}`), first).toBe(true);
        }
        const left = rows.length + more - news.shown;
        expect(news.text.includes(`${left} more by message_inbox`)).toBe(left > 0);
      }),
    );
  });

  test("a text over 4,000 characters is its beginning and its length until it is asked for", () => {
    const long = row(1, "x".repeat(4001));
    expect(toShown(long, new Map())).toMatchObject({ characters: 4001, text: `${"x".repeat(300)}…` });
    expect(toShown(long, new Map(), true).text).toHaveLength(4001);
    expect(toShown(row(2, "x".repeat(4000)), new Map()).characters).toBeUndefined();
  });
});
