/** What the event trail proves, read from nothing but its rows. Pure. */
import { afterOf, beforeOf, type EventRow } from "./watch.ts";

export interface Cycle {
  readonly task: string;
  readonly team: string;
  readonly agent: string;
  /** First claim to close. */
  readonly ms: number;
}

export interface Trail {
  readonly total: number;
  readonly closed: number;
  /** Tasks that were never closed. */
  readonly lost: string[];
  /** Held by two at once, or closed more than once. */
  readonly doubled: string[];
  readonly claims: number;
  readonly cycles: Cycle[];
  readonly closedAtImport: number;
  readonly expired: { task: string; from: string; to: string; lostMs: number; freeMs: number }[];
  readonly blocked: { task: string; reason: string; by: string; ms: number }[];
  readonly dependencies: { task: string; team: string; needs: string; byTask: string; ms: number }[];
  readonly woke: string[];
  /** Most tasks in progress at once, by team. */
  readonly peaks: Record<string, number>;
  readonly begun: number;
  readonly ended: number;
}

interface Hold {
  readonly key: string;
  readonly name: string;
  readonly at: number;
}

export function readTrail(events: readonly EventRow[]): Trail {
  const walk = new Walk();
  for (const event of events) walk.step(event);
  return walk.result();
}

class Walk {
  readonly #tasks = new Set<string>();
  readonly #atImport = new Set<string>();
  readonly #closes = new Map<string, number>();
  readonly #holds = new Map<string, Hold>();
  readonly #fences = new Map<string, number>();
  readonly #firstClaim = new Map<string, number>();
  readonly #inProgress = new Map<string, Set<string>>();
  readonly #blockedSince = new Map<string, { at: number; reason: string; by: string }>();
  readonly #declared = new Map<string, { at: number; task: string; team: string; needs: string }>();
  readonly #expired: { task: string; from: string; to: string; lostMs: number; freeMs: number; at: number }[] = [];
  readonly #doubled = new Set<string>();
  readonly #peaks: Record<string, number> = {};
  readonly #result = {
    cycles: [] as Cycle[],
    blocked: [] as Trail["blocked"],
    dependencies: [] as Trail["dependencies"],
    woke: [] as string[],
  };
  #claims = 0;
  #begun = 0;
  #ended = 0;

  step(event: EventRow): void {
    const id = event.subject ?? "";
    const at = Number(event.at);
    this.#ended = at;
    switch (event.type) {
      case "task.imported":
      case "task.created":
        this.#tasks.add(id);
        if (afterOf(event).state === "closed") this.#atImport.add(id);
        break;
      case "task.claimed":
        this.#claim(event, id, at);
        break;
      case "task.submitted":
        this.#progress(event.team).delete(id);
        break;
      case "claim.expired":
        this.#expire(event, id, at);
        break;
      case "claim.released":
      case "claim.freed":
        this.#holds.delete(id);
        this.#progress(event.team).delete(id);
        break;
      case "task.closed":
        this.#close(event, id, at);
        break;
      case "task.blocked":
        this.#blockedSince.set(id, { at, reason: String(afterOf(event).blockedReason), by: event.actor_name });
        break;
      case "task.unblocked":
        this.#unblock(id, at);
        break;
      case "task.woke":
        this.#result.woke.push(id);
        break;
      case "dependency.declared":
      case "dependency.resolved":
        this.#depend(event, id, at);
        break;
    }
  }

  #progress(team: string | null): Set<string> {
    const set = this.#inProgress.get(team ?? "") ?? new Set();
    this.#inProgress.set(team ?? "", set);
    return set;
  }

  #claim(event: EventRow, id: string, at: number): void {
    const after = afterOf(event);
    const fence = Number(after.fence);
    if (this.#holds.has(id) || fence <= (this.#fences.get(id) ?? 0)) this.#doubled.add(id);
    this.#claims += 1;
    this.#begun ||= at;
    this.#fences.set(id, fence);
    this.#holds.set(id, { key: String(after.holder), name: event.actor_name, at });
    if (!this.#firstClaim.has(id)) this.#firstClaim.set(id, at);
    const set = this.#progress(event.team).add(id);
    this.#peaks[event.team ?? ""] = Math.max(this.#peaks[event.team ?? ""] ?? 0, set.size);
    const lost = this.#expired.find((loss) => loss.task === id && loss.to === "");
    if (lost) Object.assign(lost, { to: event.actor_name, freeMs: at - lost.at });
  }

  #expire(event: EventRow, id: string, at: number): void {
    const hold = this.#holds.get(id);
    const from = hold?.name ?? String(beforeOf(event).name);
    this.#expired.push({ task: id, from, to: "", lostMs: at - (hold?.at ?? at), freeMs: 0, at });
    this.#holds.delete(id);
    this.#progress(event.team).delete(id);
  }

  #close(event: EventRow, id: string, at: number): void {
    const hold = this.#holds.get(id);
    if (hold && hold.key !== event.actor) this.#doubled.add(id);
    this.#closes.set(id, (this.#closes.get(id) ?? 0) + 1);
    this.#holds.delete(id);
    this.#progress(event.team).delete(id);
    const claimed = this.#firstClaim.get(id);
    if (claimed === undefined) return;
    this.#result.cycles.push({ task: id, team: event.team ?? "", agent: event.actor_name, ms: at - claimed });
  }

  #unblock(id: string, at: number): void {
    const since = this.#blockedSince.get(id);
    if (since) this.#result.blocked.push({ task: id, reason: since.reason, by: since.by, ms: at - since.at });
    this.#blockedSince.delete(id);
  }

  #depend(event: EventRow, id: string, at: number): void {
    const after = afterOf(event);
    if (event.type === "dependency.declared") {
      const needs = String(after.needs_team);
      this.#declared.set(id, { at, task: String(after.task), team: event.team ?? "", needs });
      return;
    }
    const waiting = this.#declared.get(id);
    if (!waiting) return;
    const { task, team, needs } = waiting;
    this.#result.dependencies.push({ task, team, needs, byTask: String(after.by_task ?? ""), ms: at - waiting.at });
  }

  result(): Trail {
    for (const [id, times] of this.#closes) if (times > 1 || this.#atImport.has(id)) this.#doubled.add(id);
    const isClosed = (id: string) => this.#closes.has(id) || this.#atImport.has(id);
    const lost = [...this.#tasks].filter((id) => !isClosed(id));
    return {
      ...this.#result,
      total: this.#tasks.size,
      closed: this.#tasks.size - lost.length,
      lost,
      doubled: [...this.#doubled],
      claims: this.#claims,
      closedAtImport: this.#atImport.size,
      expired: this.#expired.map(({ at: _, ...loss }) => loss),
      peaks: this.#peaks,
      begun: this.#begun,
      ended: this.#ended,
    };
  }
}

/** How many tasks were closed, in progress or in review and open, at each of `steps` moments. */
export function flowOf(events: readonly EventRow[], trail: Trail, steps: number): { done: number[]; active: number[] } {
  const span = Math.max(1, trail.ended - trail.begun);
  const done = new Array<number>(steps).fill(0);
  const active = new Array<number>(steps).fill(0);
  const current = { done: 0, active: new Set<string>() };
  let step = 0;
  const fillTo = (end: number) => {
    for (; step < end && step < steps; step += 1) {
      done[step] = current.done;
      active[step] = current.active.size;
    }
  };
  for (const event of events) {
    const at = Number(event.at);
    if (at < trail.begun) continue;
    fillTo(Math.floor(((at - trail.begun) / span) * steps));
    const id = event.subject ?? "";
    if (event.type === "task.claimed") current.active.add(id);
    if (event.type === "task.closed" || event.type === "claim.expired") current.active.delete(id);
    if (event.type === "task.closed") current.done += 1;
  }
  fillTo(steps);
  done[steps - 1] = current.done;
  return { done, active };
}
