import { describe, expect, test } from "vitest";
import { checkAcknowledgement, judgeSpawn, type SpawnFacts } from "./spawn.rules.ts";

const fine: SpawnFacts = {
  taskKey: "tw-1",
  role: "builder",
  exceptions: ["researcher"],
  atWork: 0,
  teammates: 5,
  spawns: 0,
  free: 5,
  acknowledged: false,
  hasPlan: true,
  namesModel: false,
  unscored: "refuse",
};

describe("a spawn within a run", () => {
  test.each<[string, Partial<SpawnFacts>, RegExp | undefined]>([
    ["with a scored task passes", {}, undefined],
    ["without a task is refused (TD-01, C-27)", { taskKey: null }, /task_create/],
    ["without a task passes for an exception", { taskKey: null, role: "researcher" }, undefined],
    ["beside four others passes (TZ-01)", { atWork: 4 }, undefined],
    ["beside five others is refused (TZ-01, C-04)", { atWork: 5 }, /5 agents are at work/],
    ["is the fifth", { spawns: 4 }, undefined],
    ["would be the sixth (CS-02, C-04)", { spawns: 5 }, /acknowledge/],
    ["is the sixth, with a reason", { spawns: 5, acknowledged: true }, undefined],
    ["is refused without a score (MO-01, CS-02)", { hasPlan: false }, /brief_spawn/],
    ["may go without a score where it names a model", { hasPlan: false, namesModel: true }, undefined],
    ["may go without a score where that is configured", { hasPlan: false, unscored: "allow" }, undefined],
  ])("%s", (_, change, refusal) => {
    const verdict = judgeSpawn({ ...fine, ...change });
    if (refusal) expect(verdict.refusal).toMatch(refusal);
    else expect(verdict).toEqual({});
  });

  test("is advised to be scored where that is configured, and where it needs no task", () => {
    const advice = { advice: expect.stringContaining("brief_spawn") };
    expect(judgeSpawn({ ...fine, hasPlan: false, unscored: "warn" })).toEqual(advice);
    expect(judgeSpawn({ ...fine, hasPlan: false, role: "researcher" })).toEqual(advice);
  });
});

describe("an acknowledgement (CS-02)", () => {
  test("needs a run, a pause and a reason that says something", () => {
    const reason = "The migration needs a database expert whom nobody on the team replaces";
    expect(() => checkAcknowledgement(reason, undefined, 5)).toThrow("leads none");
    expect(() => checkAcknowledgement(reason, { spawns: 3 }, 5)).toThrow("nothing to acknowledge");
    expect(() => checkAcknowledgement("ok", { spawns: 5 }, 5)).toThrow("no reason");
    expect(() => checkAcknowledgement("more agents needed", { spawns: 5 }, 5)).toThrow("no reason");
    expect(() => checkAcknowledgement(reason, { spawns: 5 }, 5)).not.toThrow();
  });
});
