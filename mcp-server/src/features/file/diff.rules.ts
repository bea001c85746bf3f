import { plainLine } from "../../kernel/fence.ts";
import { type Obstacle, type WriteFacts, writeObstacle } from "./file.rules.ts";
import type { DiffFinding } from "./file.schema.ts";
import { matchingGlob } from "./glob.rules.ts";

export interface DiffFacts extends Omit<WriteFacts, "path" | "who"> {
  readonly files: readonly { readonly path: string; readonly status: string }[];
  /** Whose work it is; absent when nobody said so, and only protected paths can be told. */
  readonly who?: WriteFacts["who"] | undefined;
  readonly scope?: readonly string[] | undefined;
  /** Paths somebody has approved. */
  readonly allowed: readonly string[];
  /** What touching another's file leads to; protected paths are an error always. */
  readonly level: "error" | "warning" | "off";
}

/** What a set of changed files breaks: one finding per file, the gravest (requirements FO-03, FO-05, FO-08). */
export function diffFindings(facts: DiffFacts): DiffFinding[] {
  return facts.files.flatMap((file) => {
    if (matchingGlob(facts.allowed, file.path) !== undefined) return [];
    const nobody = { key: "", name: "" };
    const obstacle = writeObstacle({ ...facts, path: file.path, who: facts.who ?? nobody });
    const inScope = facts.scope === undefined || matchingGlob(facts.scope, file.path) !== undefined;
    const found = finding(obstacle, facts, inScope);
    return found === undefined ? [] : [{ ...found, path: file.path, status: file.status }];
  });
}

type Found = Pick<DiffFinding, "rule" | "level" | "message">;

function finding(obstacle: Obstacle | undefined, facts: DiffFacts, inScope: boolean): Found | undefined {
  if (obstacle?.kind === "protected")
    return { rule: "protected", level: "error", message: `protected by ${obstacle.glob}: only people change it` };
  if (!inScope) return { rule: "out-of-scope", level: "error", message: "outside the scope of the task" };
  if (obstacle === undefined || facts.who === undefined || facts.level === "off") return undefined;
  if (obstacle.kind === "leased") {
    const { lease } = obstacle;
    const message = `leased to ${plainLine(lease.holderName, 60)} for ${lease.task} (${plainLine(lease.glob, 200)})`;
    return { rule: "leased", level: facts.level, message };
  }
  const { owner, glob } = obstacle.owned;
  return { rule: "owned", level: facts.level, message: `belongs to ${owner} (${glob})` };
}
