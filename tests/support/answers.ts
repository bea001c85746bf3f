import { expect } from "vitest";
import type { Actor, Answer, World } from "./world.ts";

/** The code a call was refused with, or `accepted`. */
export async function refusal(call: Promise<Answer>): Promise<string> {
  return (await call)?.error?.code ?? "accepted";
}

/** The same for operations run at the command line, which throw. */
export async function personRefusal(call: Promise<Answer>): Promise<string> {
  return call.then(
    () => "accepted",
    (error: { code?: string }) => error.code ?? String(error),
  );
}

/** Creates one task and gives its id. */
export async function newTask(actor: Actor, draft: Record<string, unknown> | string): Promise<string> {
  const input = typeof draft === "string" ? { title: draft } : draft;
  return (await actor.must("task_create", input)).task.id;
}

export async function idsReady(actor: Actor, input: Record<string, unknown> = {}): Promise<string[]> {
  return (await actor.must("task_ready", { limit: 0, ...input })).tasks.map((task: { id: string }) => task.id);
}

export async function show(actor: Actor, id: string): Promise<Answer> {
  return (await actor.must("task_show", { id })).task;
}

/** Starts the sprint after the newest, also when that has only just begun. */
export async function nextSprint(world: World, by: Actor): Promise<Answer> {
  const { sprints } = await world.person("sprint_show", { limit: 1 });
  return by.must("sprint_start", { sprint: (sprints[0]?.sprint.n ?? 0) + 1 });
}

/** No derived value may ever drift from what a recount gives. */
export async function expectSound(world: World): Promise<void> {
  const { checks } = await world.person("doctor_check");
  expect(checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
}

export const MINUTE = 60_000;
export const DAY = 86_400_000;

/** Longer than a claim lives without a sign of its holder. */
export const LEASE_OVER = 901_000;
