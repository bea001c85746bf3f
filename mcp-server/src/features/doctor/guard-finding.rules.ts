/** What is known of the guard where it is asked. */
export interface GuardFacts {
  readonly setting: string | undefined;
  readonly platform: string;
  /** The client's hooks are believed here. */
  readonly isInSession: boolean;
  /** A hook came before this very call. */
  readonly isVouchedFor: boolean;
}

/** Whether the client's hooks reach us: without them no rule of theirs holds (design §1.6). */
export function guardFinding(facts: GuardFacts): { check: string; ok: boolean; detail: string } {
  const check = "guard";
  if (facts.setting === "off") return { check, ok: false, detail: "switched off by guard: off in teamwright.yaml" };
  if (facts.platform === "win32")
    return {
      check,
      ok: false,
      detail: "not supported on Windows: no rule of the hooks holds in a session there; use WSL",
    };
  if (!facts.isInSession)
    return { check, ok: true, detail: "no client session here; ask doctor_check in one what its hooks do" };
  if (!facts.isVouchedFor)
    return { check, ok: false, detail: "no hook of the client came before this call: nobody is vouched for here" };
  return { check, ok: true, detail: "the client's hooks arrive" };
}
