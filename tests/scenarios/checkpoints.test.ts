import { describe, expect, test } from "vitest";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { checkLeads, getRunById, leaveRuns } from "../../mcp-server/src/features/run/run.store.ts";
import { execute, inTransaction } from "../../mcp-server/src/kernel/execute.ts";
import { type Principal, systemPrincipal } from "../../mcp-server/src/kernel/principal.ts";
import { expectSound, newTask, personRefusal, refusal } from "../support/answers.ts";
import { openDialogClient, type Reaction } from "../support/dialogs.ts";
import { openRun } from "../support/runs.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

const schemaChange = {
  title: "Rename the column of the users",
  kind: "schema",
  done: "A migration is written.",
  decisions: "No view keeps the old name.",
  plan: "It runs on the copy first.",
  questions: "Is a second of downtime fine?",
};

const ask = async (actor: Actor, input: Record<string, unknown> = {}): Promise<Answer> =>
  (await actor.must("checkpoint_request", { ...schemaChange, ...input })).checkpoint;

const list = async (world: World, input: Record<string, unknown> = {}): Promise<Answer[]> =>
  (await world.person("checkpoint_list", input)).checkpoints;

const decisions = async (world: World, id: string): Promise<Answer[]> =>
  (await world.person("event_list", { after: 0, limit: 5000 })).events.filter(
    (event: Answer) => event.subject === id && event.type !== "checkpoint.requested",
  );

/** As a caller that no tool call or command line of these tests can be. */
const runAs = (world: World, kind: Principal["kind"], operation: string, input: Record<string, unknown>) => {
  const found = findOperation(operation);
  if (!found) throw new Error(operation);
  return execute(world.runtime, found, input, { principal: { kind, key: `${kind}:x`, name: "x" } });
};

const says = async (world: World, event: "UserPromptSubmit" | "Stop", session = "s1"): Promise<string> =>
  JSON.stringify((await world.hook({ event, session_id: session })) ?? "");

describe.each(dialects)("checkpoints on %s", (dialect) => {
  test("wait for a person, with what the person decides on (FP-08)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const task = await newTask(lead, "Rename the column");
    const asked = await ask(lead, { about: task });
    expect(asked).toMatchObject({ status: "pending", kind: "schema", about: task, by: "lead" });
    expect(await ask(lead, { about: task }), "asked again, it is the same").toEqual(asked);
    expect(await list(world)).toMatchObject([{ id: asked.id }]);
    const [shown] = await list(world, { id: asked.id });
    const { done, decisions: made, plan, questions } = schemaChange;
    expect(shown.report).toEqual({ done, decisions: made, plan, questions });
    expect(await lead.text("brief_show")).toContain(`${asked.id} (schema) ${schemaChange.title}`);
    expect((await lead.must("brief_show")).waiting).toMatchObject({ checkpoints_total: 1, escalations_total: 0 });
    const text = await world.personText("checkpoint_list", { id: asked.id });
    expect(text).toMatch(/<stored-text \w+ what="questions">\nIs a second of downtime fine\?/);

    const { checkpoint } = await world.person("checkpoint_approve", { id: asked.id.slice(0, 6), note: "A second is." });
    expect(checkpoint).toMatchObject({ status: "approved", decided_by: "pat", note: "A second is." });
    expect(await list(world)).toEqual([]);
    expect(await decisions(world, asked.id)).toMatchObject([
      { type: "checkpoint.approved", kind: "human", by: "pat", after: { status: "approved", note: "A second is." } },
    ]);
    const again = await ask(lead, { about: task });
    expect(again.id, "an approval is for what was asked then").not.toBe(asked.id);
    await expectSound(world);
  });

  test("are answered by nobody but a person: no tool, no lead, no agent, no CI, no unknown caller (FP-08)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const task = await newTask(lead, "Rename the column");
    const ada = await world.spawn("ada", { prompt: `do ${task}` });
    await ada.must("task_claim", { id: task });
    const { id, about, by } = await ask(ada);
    expect([about, by]).toEqual([task, "ada"]);
    for (const actor of [lead, ada, world.stranger()]) {
      for (const tool of ["checkpoint_approve", "checkpoint_reject", "checkpoint_list"])
        expect((await actor.call(tool, { id, note: "yes" })).error).toMatchObject({ code: "NOT_FOUND" });
    }
    for (const kind of ["lead", "agent", "service", "unverified"] as const) {
      expect(await personRefusal(runAs(world, kind, "checkpoint_approve", { id }))).toBe("FORBIDDEN");
      expect(await personRefusal(runAs(world, kind, "checkpoint_reject", { id, note: "no" }))).toBe("FORBIDDEN");
    }
    for (const command of [
      `teamwright checkpoint approve ${id}`,
      `cd /tmp && t"eam"wright checkpoint reject ${id} --note no`,
      `bash -c 'node bin/teamwright checkpoint approve ${id}'`,
      `./wrapper teamwright checkpoint approve ${id}`,
      `echo y | teamwright escalation resolve esc-1 --decision override --note x`,
    ]) {
      for (const agent_id of ["", ada.id]) {
        const tool_input = JSON.stringify({ command });
        const said = await world.hook({
          event: "PreToolUse",
          agent_id,
          tool_name: "Bash",
          tool_use_id: "b",
          tool_input,
        });
        expect([command, said?.hookSpecificOutput?.permissionDecision]).toEqual([command, "deny"]);
      }
    }
    expect((await list(world))[0]).toMatchObject({ id, status: "pending" });
    expect(await decisions(world, id)).toEqual([]);
    await expectSound(world);
  });

  test("of two people who answer at once one wins", async () => {
    await using world = await openWorld({ dialect });
    for (let round = 0; round < 5; round += 1) {
      const { id } = await ask(world.lead(), { title: `Rename column ${round}` });
      const both = await Promise.all([
        personRefusal(world.person("checkpoint_approve", { id })),
        personRefusal(world.person("checkpoint_reject", { id, note: "not yet" })),
      ]);
      expect(both.sort()).toEqual(["CONFLICT", "accepted"]);
      expect(await decisions(world, id)).toHaveLength(1);
    }
    const { id } = await ask(world.lead());
    await world.person("checkpoint_reject", { id, note: "no" });
    expect(await personRefusal(world.person("checkpoint_reject", { id, note: "no" }))).toBe("CONFLICT");
    expect(await personRefusal(world.person("checkpoint_approve", { id: "cp-none" }))).toBe("NOT_FOUND");
    await expectSound(world);
  });

  test("the lead hears of answers once, together, and in whichever moment comes first", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const first = await ask(lead, { title: "Rename the first column" });
    const second = await ask(ada, { title: "Rename the second column" });
    await world.person("checkpoint_approve", { id: first.id });
    await world.person("checkpoint_reject", { id: second.id, note: "Keep the name." });
    expect(await says(world, "Stop", "s2"), "another session's").toBe('""');
    const told = await says(world, "UserPromptSubmit");
    expect(told).toContain(`${first.id} (schema, Rename the first column)`);
    expect(told).toContain("was approved by pat");
    expect(told).toMatch(/was rejected by pat\.\\n<stored-text \w+ what=\\"note\\">\\nKeep the name/);
    expect([await says(world, "UserPromptSubmit"), await says(world, "Stop")]).toEqual(["{}", '""']);

    const third = await ask(lead, { title: "Rename the third column" });
    await world.person("checkpoint_approve", { id: third.id });
    const stopped = await world.hook({ event: "Stop" });
    expect(stopped).toMatchObject({ decision: "block", reason: expect.stringContaining(third.id) });
    expect(await says(world, "Stop")).toBe('""');
    await expectSound(world);
  });

  test("whoever leads the run next hears of its answers: a session may end while a person thinks", async () => {
    await using world = await openWorld({ dialect });
    const run = await openRun(world.runtime);
    const ofRun = await ask(world.lead());
    expect(ofRun.about).toBe(run.key);
    const ofStage = await ask(world.lead(), { about: `${run.key}:stage-2`, kind: "gate", title: "Begin stage two" });
    expect(ofStage.about).toBe(`${run.key}:stage-2`);
    await inTransaction(world.runtime, { principal: systemPrincipal }, "session_end", (ctx) => leaveRuns(ctx, "s1"));
    for (const { id } of [ofRun, ofStage]) await world.person("checkpoint_approve", { id });
    expect(await says(world, "Stop", "s2")).toBe('""');
    const principal = { kind: "lead", key: "lead:s2", name: "lead", session: "s2" } as const;
    await inTransaction(world.runtime, { principal }, "take over", async (ctx) =>
      checkLeads(ctx, await getRunById(ctx.db, run.id)),
    );
    const told = await says(world, "Stop", "s2");
    for (const { id } of [ofRun, ofStage]) expect(told).toContain(id);
    expect(await says(world, "Stop", "s2")).toBe('""');
    await expectSound(world);
  });

  describe.each(["legacy", "modern"] as const)("asked in a dialog of the %s era", (era) => {
    test("the answer is the person's (FP-08)", async () => {
      await using world = await openWorld({ dialect });
      const answers: Reaction[] = [
        { action: "accept", content: { decision: "approve", note: "Fine." } },
        { action: "accept", content: { decision: "reject" } },
      ];
      await using client = await openDialogClient(world, era, () => answers.shift() ?? { action: "cancel" });
      const { checkpoint } = await client.call("checkpoint_request", schemaChange);
      expect(client.shown[0]).toContain("Rename the column of the users");
      expect(client.shown[0]).toContain("Questions: Is a second of downtime fine?");
      const decided_by = "the person at the session (elicitation)";
      expect(checkpoint).toMatchObject({ status: "approved", note: expect.stringContaining("Fine."), decided_by });
      expect(await decisions(world, checkpoint.id)).toMatchObject([
        { type: "checkpoint.approved", kind: "human", by: decided_by },
      ]);
      const ada = await world.spawn("ada");
      const rejected = await client.call("checkpoint_request", { ...schemaChange, title: "Drop the column" }, ada.id);
      expect(rejected.checkpoint).toMatchObject({ status: "rejected", by: "ada", decided_by });
      expect(await says(world, "Stop"), "the caller has the answer in its result").toBe('""');
      await expectSound(world);
    });

    test("put away, declined or filled in wrongly it stays pending, and a caller nobody vouches for asks no dialog", async () => {
      await using world = await openWorld({ dialect });
      const answers: Reaction[] = [
        { action: "cancel" },
        { action: "decline" },
        { action: "accept", content: {} },
        { action: "accept", content: { decision: "override" } },
      ];
      await using client = await openDialogClient(world, era, () => answers.shift() ?? { action: "cancel" });
      const ids = new Set<string>();
      while (answers.length > 0) {
        const { checkpoint } = await client.call("checkpoint_request", schemaChange);
        expect(checkpoint.status).toBe("pending");
        ids.add(checkpoint.id);
      }
      expect([ids.size, client.shown.length]).toEqual([1, 4]);
      answers.push({ action: "accept", content: { decision: "approve" } });
      const strange = await client.call("checkpoint_request", { ...schemaChange, title: "Trust me" }, "stranger");
      expect(strange.checkpoint.status).toBe("pending");
      expect(client.shown).toHaveLength(4);
      await expectSound(world);
    });

    test("the wait holds nobody up, and an answer given elsewhere meanwhile counts", async () => {
      await using world = await openWorld({ dialect });
      const lead = world.lead();
      await using client = await openDialogClient(world, era, async () => {
        await newTask(lead, "Be written while the dialog is open");
        const [{ id }] = await list(world);
        await world.person("checkpoint_reject", { id, note: "At the terminal." });
        return { action: "accept", content: { decision: "approve" } };
      });
      const { checkpoint } = await client.call("checkpoint_request", schemaChange);
      expect(checkpoint).toMatchObject({ status: "rejected", decided_by: "pat" });
      await expectSound(world);
    });
  });

  test("unknown subjects and other teams' are refused", async () => {
    const config = "teams: [{ id: alpha, agents: [ada] }, { id: beta, agents: [bea] }]\n";
    await using world = await openWorld({ dialect, config });
    const lead = world.lead();
    const task = await newTask(lead, { title: "Rename the column", team: "beta" });
    const ada = await world.spawn("ada");
    expect(await refusal(ada.call("checkpoint_request", { ...schemaChange, about: task }))).toBe("FORBIDDEN");
    expect(await refusal(lead.call("checkpoint_request", { ...schemaChange, about: "tw-none" }))).toBe("NOT_FOUND");
    expect(await refusal(lead.call("checkpoint_request", { ...schemaChange, kind: "whim" }))).toBe("INVALID_INPUT");
    expect(await refusal(lead.call("checkpoint_request", { ...schemaChange, by: "pat" }))).toBe("INVALID_INPUT");
    expect(await list(world, { status: "all" })).toEqual([]);
  });
});
