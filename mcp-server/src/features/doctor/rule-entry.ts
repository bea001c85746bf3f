import type { ProjectConfig } from "../../config/config.schema.ts";
import { type ErrorCode, TeamwrightError } from "../../kernel/errors.ts";
import type { RulePlace, RuleStateWord } from "./rule.schema.ts";
import type { Scene } from "./scene.ts";

/** What a canary met. */
export interface Sight {
  /** The rule did what it promises. */
  readonly held: boolean;
  readonly proof: string;
  /** It did not hold because this place has chosen so. */
  readonly isChosen?: boolean;
}

/** One rule as doctor_check and docs/rules.md know it. */
export interface RuleEntry {
  readonly name: string;
  /** One sentence on what cannot happen. */
  readonly promise: string;
  readonly place: RulePlace;
  readonly strict: boolean;
  /** Requirement or design ids. */
  readonly source: string;
  /** How it is switched off or relaxed. */
  readonly offBy: string;
  /** What happens when the rule itself fails. */
  readonly onFailure: string;
  /** Part of a hook's identity work: `guard: off` does not switch it off. */
  readonly keepsRecords?: boolean;
  /** The hook that must arrive for it to be asked. */
  readonly hook?: { readonly event: string; readonly tool: string };
  /** What the project's settings leave of it; undefined: all. */
  setting?(
    config: ProjectConfig,
  ): { readonly state: Exclude<RuleStateWord, "enforced">; readonly why: string } | undefined;
  /** Configuration of the stage, where the rule needs another one to be met at once. */
  adjust?(config: ProjectConfig): ProjectConfig;
  /** Does what must not be possible, on a stage that is undone. */
  probe?(scene: Scene): Promise<Sight>;
  /** Why there is no probe. */
  readonly reason?: string;
}

export const held = (proof: string): Sight => ({ held: true, proof });
export const missed = (proof: string): Sight => ({ held: false, proof });

/** The canary is refused with this code, or it got through. */
export async function refused(code: ErrorCode, canary: string, attempt: Promise<unknown>): Promise<Sight> {
  try {
    await attempt;
  } catch (error) {
    if (!(error instanceof TeamwrightError)) throw error;
    const said = `${canary}: ${error.code}, ${error.message}`;
    return error.code === code ? held(said) : missed(`${said} (expected ${code})`);
  }
  return missed(`${canary}: it was let through`);
}
