import { describe, expect, test } from "vitest";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute } from "../../mcp-server/src/kernel/execute.ts";
import { newTask } from "../support/answers.ts";
import { twoTeams } from "../support/teams.ts";
import { dialects, openWorld } from "../support/world.ts";

describe.each(dialects)("ids on %s", (dialect) => {
  test("an id that is taken is drawn again, and the call is one change", async () => {
    await using world = await openWorld({ dialect });
    let drawn = 0;
    const random = (bytes: number) => {
      drawn += 1;
      return new Uint8Array(bytes).fill(drawn <= 3 ? 7 : drawn); // three times the same
    };
    const create = findOperation("task_create");
    if (!create) throw new Error("no task_create");
    const principal = { kind: "human", key: "human:ada", name: "ada" } as const;
    const ids = [];
    for (const title of ["Draw the first page", "Draw the second page"]) {
      const { task } = (await execute({ ...world.runtime, random }, create, { title }, { principal })) as {
        task: { id: string };
      };
      ids.push(task.id);
    }
    expect(new Set(ids).size).toBe(2);
    expect((await world.person("task_list", {})).total).toBe(2);
    expect((await world.person("event_list", {})).events).toHaveLength(2);
  });

  test("whatever has an id is meant by a unique start of it, and by no start of several", async () => {
    await using world = await openWorld({ dialect, config: twoTeams });
    const lead = world.lead();
    const task = await newTask(lead, { title: "Draw the chart", team: "alpha" });
    const need = { task, needs_team: "beta" };
    const { dependency } = await lead.must("dependency_declare", { ...need, note: "the data" });
    const { message } = await lead.must("message_send", { to: "portfolio", text: "Who has it?", kind: "QUESTION" });
    const { escalation } = await lead.must("escalation_raise", { about: task, reason: "Nobody has it" });
    const { id: fact } = (await lead.must("knowledge_add", { fact: "The chart library drops zero values" })).knowledge;
    const cut = (id: string) => id.slice(0, -2);

    const answer = await lead.must("message_send", { reply_to: cut(message.id), text: "Beta has." });
    expect(answer.message.reply_to).toBe(message.id);
    const outdated = await lead.must("knowledge_add", { outdated: cut(fact) });
    expect(outdated.knowledge).toMatchObject({ id: fact, outdated: 1 });
    const settled = await world.person("escalation_resolve", {
      id: cut(escalation.id),
      decision: "revise",
      note: "Beta has it",
    });
    expect(settled.escalation.id).toBe(escalation.id);
    const resolved = await lead.must("dependency_resolve", { id: cut(dependency.id), resolution: "Beta gave it" });
    expect(resolved.dependency).toMatchObject({ id: dependency.id, status: "resolved" });

    await lead.must("dependency_declare", { ...need, note: "the colours" });
    const several = await lead.call("dependency_resolve", { id: "dep-", resolution: "Both" });
    expect(several.error).toMatchObject({ code: "INVALID_INPUT", message: "dep- is the start of several ids." });
    const none = await lead.call("dependency_resolve", { id: "dep-none", resolution: "It" });
    expect(none.error.code).toBe("NOT_FOUND");
  });
});
