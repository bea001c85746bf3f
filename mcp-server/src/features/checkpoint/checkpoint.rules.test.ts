import fc from "fast-check";
import { expect, test } from "vitest";
import type { PrincipalKind } from "../../kernel/principal.ts";
import { checkMayDecide, checkPending, questionOf } from "./checkpoint.rules.ts";

test("a person decides, and nobody else (FP-08)", () => {
  const kinds: PrincipalKind[] = ["human", "lead", "agent", "service", "unverified"];
  const refused = kinds.filter((kind) => {
    try {
      checkMayDecide("cp-1", { kind, key: `${kind}:x`, name: "x", role: "orchestrator" });
      return false;
    } catch {
      return true;
    }
  });
  expect(refused).toEqual(["lead", "agent", "service", "unverified"]);
});

test("the first answer counts", () => {
  expect(() => checkPending({ key: "cp-1", status: "pending", decided_by_name: null })).not.toThrow();
  expect(() => checkPending({ key: "cp-1", status: "rejected", decided_by_name: "pat" })).toThrow(
    "cp-1 was rejected already, by pat.",
  );
});

test("whatever an agent writes, the dialog shows text of bounded length without control characters", () => {
  const part = fc.option(fc.string({ unit: "binary", maxLength: 4000 }), { nil: undefined });
  const row = fc.record({
    title: fc.string({ unit: "binary", maxLength: 600 }),
    report: fc.record({ done: part, decisions: part, plan: part, questions: part }),
  });
  fc.assert(
    fc.property(row, ({ title, report }) => {
      const { message } = questionOf({
        key: "cp-1",
        kind: "schema",
        about: "tw-1",
        requested_by_name: "ada\u001b[31m",
        title,
        report,
      });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(message.length).toBeLessThan(8000);
    }),
  );
});
