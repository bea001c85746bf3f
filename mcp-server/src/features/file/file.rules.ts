import type { ProjectConfig } from "../../config/config.schema.ts";
import type { OwnershipEntry, OwnershipMode } from "../../config/ownership.schema.ts";
import { compareSpecificity, globCovers, globMatches, globsOverlap, matchingGlob } from "./glob.rules.ts";

/** Who writes, as far as ownership is concerned. */
export interface Writer {
  readonly name: string;
  readonly role?: string | undefined;
  readonly team?: string | undefined;
}

/** A lease in force; `holder` is a principal's key. */
export interface Lease {
  readonly taskId: number;
  readonly task: string;
  readonly holder: string;
  readonly holderName: string;
  readonly glob: string;
}

/** Changed by people only, wherever files are watched at all (requirements FO-03, adapted to any project). */
const builtInProtected = ["teamwright.yaml", ".teamwright", "**/.git", "**/.git/**", "**/.env", "**/.env.*"];
const examples = /(^|\/)\.env\.(example|sample|template)$/i;

/** The glob that protects a path, if any; what the project declares protects examples of .env files, too. */
export function protectionOf(declared: readonly string[], path: string): string | undefined {
  return matchingGlob(declared, path) ?? (examples.test(path) ? undefined : matchingGlob(builtInProtected, path));
}

export interface Owned {
  readonly owner: string;
  readonly glob: string;
  readonly notes?: string | undefined;
}

/** The entry that decides about a path: the most specific glob, and of equals the one declared last (FO-06). */
export function ownerOf(map: readonly OwnershipEntry[], path: string): Owned | undefined {
  let best: Owned | undefined;
  for (const { paths, owner, notes } of map) {
    for (const glob of paths) {
      if (!globMatches(glob, path)) continue;
      if (best === undefined || compareSpecificity(glob, best.glob) >= 0) best = { owner, glob, notes };
    }
  }
  return best;
}

/** An agent's name, its role, its team or everybody (C-13: collective ownership is a map of `*`). */
export function owns(owner: string, who: Writer): boolean {
  if (owner === "*") return true;
  if (owner.startsWith("team:")) return who.team === owner.slice("team:".length);
  return who.name === owner || who.role === owner;
}

/**
 * The entry that keeps a writer from leasing a glob: it is another's, may have a path in common with the glob, and no
 * entry of the writer's own that covers the whole glob says more. The map tells who may ask, the lease who may write (C-13).
 */
export function leaseObstacle(map: readonly OwnershipEntry[], glob: string, who: Writer): Owned | undefined {
  const entries = map.flatMap(({ paths, owner, notes }) => paths.map((path): Owned => ({ owner, glob: path, notes })));
  const isBefore = (own: Owned, other: Owned) => {
    const order = compareSpecificity(own.glob, other.glob);
    return order > 0 || (order === 0 && entries.indexOf(own) > entries.indexOf(other));
  };
  const covering = entries.filter((entry) => owns(entry.owner, who) && globCovers(entry.glob, glob));
  return entries.find(
    (entry) =>
      !owns(entry.owner, who) && globsOverlap(entry.glob, glob) && !covering.some((own) => isBefore(own, entry)),
  );
}

/** The first lease of another holder that may have a path in common with the glob. */
export function leaseInTheWay(leases: readonly Lease[], glob: string, holder: string): Lease | undefined {
  return leases.find((lease) => lease.holder !== holder && globsOverlap(lease.glob, glob));
}

/** What is known when somebody wants to write a file. */
export interface WriteFacts {
  /** Relative to the root of the working tree, with slashes. */
  readonly path: string;
  readonly who: Writer & { readonly key: string };
  readonly map: readonly OwnershipEntry[];
  readonly protectedGlobs: readonly string[];
  readonly leases: readonly Lease[];
}

/** Why a path may not be written. */
export type Obstacle =
  | { readonly kind: "protected"; readonly glob: string }
  | { readonly kind: "leased"; readonly lease: Lease }
  | { readonly kind: "owned"; readonly owned: Owned };

/** Protected before lease before the most specific glob before nothing, which is free (FO-06). */
export function writeObstacle(facts: WriteFacts): Obstacle | undefined {
  const { path, who, leases, map } = facts;
  const protection = protectionOf(facts.protectedGlobs, path);
  if (protection !== undefined) return { kind: "protected", glob: protection };
  const matching = leases.filter((lease) => globMatches(lease.glob, path));
  if (matching.some((lease) => lease.holder === who.key)) return undefined;
  const [lease] = matching;
  if (lease) return { kind: "leased", lease };
  const owned = ownerOf(map, path);
  return owned === undefined || owns(owned.owner, who) ? undefined : { kind: "owned", owned };
}

/**
 * How files are watched, or undefined where nobody has asked for it: the rule is dormant in a project that declares
 * nothing and a session that leads no run (design §7).
 */
export function watchMode(
  config: Pick<ProjectConfig, "ownership" | "protected" | "ownership_mode">,
  inRun: boolean,
): OwnershipMode | undefined {
  if (config.ownership_mode === "off") return config.protected.length > 0 || inRun ? "off" : undefined;
  if (config.ownership_mode !== undefined) return config.ownership_mode;
  return config.ownership.length > 0 || config.protected.length > 0 || inRun ? "strict" : undefined;
}
