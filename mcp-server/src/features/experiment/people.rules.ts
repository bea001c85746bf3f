import type { ProjectConfig } from "../../config/config.schema.ts";
import type { Seniority } from "../../config/people.schema.ts";

const memberRoles = ["product_owner", "dev_lead", "qa_lead", "tester", "developer"] as const;
export type MemberRole = (typeof memberRoles)[number];

/** A simulated agent. `home` is the team of the configuration; where it works now is the store's to say. */
export interface Member {
  readonly id: string;
  readonly name: string;
  readonly home: string;
  readonly role: MemberRole;
  readonly seniority: Seniority;
  readonly primary: string;
  /** Grows when a specialist has trained the agent. */
  readonly auxiliary: readonly string[];
  /** The first sprint it works in. */
  readonly joined: number;
}

/** Everybody who is in a team at the start; coordinators are in none (requirement C-22). */
export function membersOf(config: ProjectConfig): Member[] {
  return config.teams.flatMap((team) => team.agents.map((id) => memberOf(config, id, team.id, 1)));
}

export function memberOf(config: ProjectConfig, id: string, home: string, joined: number): Member {
  const person = config.models.agents?.[id];
  return {
    id,
    name: person?.name ?? id,
    home,
    role: roleOf(person?.role_archetype, id),
    seniority: person?.seniority ?? "mid",
    primary: person?.primary_specialization ?? "backend",
    auxiliary: person?.auxiliary_specializations ?? [],
    joined,
  };
}

/** The word of the configuration, or what the id says where there is none. */
function roleOf(archetype: string | undefined, id: string): MemberRole {
  const word = (archetype ?? id).toLowerCase().replaceAll(/[^a-z]+/g, "_");
  if (/product_owner|(^|_)po($|_)/.test(word)) return "product_owner";
  if (/qa_lead|quality_lead/.test(word)) return "qa_lead";
  if (/dev_lead|tech_lead|team_lead|(^|_)leader($|_)/.test(word)) return "dev_lead";
  if (/tester|(^|_)qa($|_)|quality/.test(word)) return "tester";
  return "developer";
}

/** Who writes code: developers, and the lead beside leading. */
export function develops(member: Member): boolean {
  return member.role === "developer" || member.role === "dev_lead";
}

/** Who looks at what others have done; where nobody tests, the developers do it for each other. */
export function reviews(member: Member): boolean {
  return member.role === "tester" || member.role === "qa_lead";
}

/** Whose names the seed protects: they neither leave nor are lent (requirements AG-09, BO-10). */
export function isProtected(config: ProjectConfig, member: Member): boolean {
  const role = config.models.agents?.[member.id]?.role_archetype ?? member.role;
  return (
    config.coordination.protected_roles.includes(role) || config.coordination.protected_roles.includes(member.role)
  );
}
