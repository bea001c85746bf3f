export type PrincipalKind = "human" | "lead" | "agent" | "service" | "unverified";

/**
 * Who acts. Built by a surface from what it can see itself (the guard's binding, the OS user, the process),
 * never from an argument of a call. `key` is the identity; `name` is only a label (design §3).
 */
export interface Principal {
  readonly kind: PrincipalKind;
  /** `agent:<agentId>`, `lead:<session>`, `human:<user>`, `service:<name>`, `unverified:<process>`. */
  readonly key: string;
  readonly name: string;
  readonly session?: string;
  readonly agentId?: string;
  /** Role from the spawn record, e.g. `builder`; never taken from the hook's agent_type alone. */
  readonly role?: string;
  /** A re-spawned name is a new generation. */
  readonly generation?: number;
  /** The team whose board this principal sees; absent for leads of several teams, humans and services. */
  readonly team?: string;
  /** Where its session or agent is at work, as the client's hook of this call says. */
  readonly cwd?: string;
}

/** Roles of those who coordinate teams and belong to none (requirements C-22). */
export const coordinatorRoles: readonly string[] = ["staff-engineer", "enablement-lead"];

export const systemPrincipal: Principal = { kind: "service", key: "service:teamwright", name: "teamwright" };

/** True for those who direct work rather than do it: they may act on tasks that others hold. */
export function directsWork(principal: Principal): boolean {
  return principal.kind === "human" || principal.kind === "lead" || principal.kind === "service";
}
