import { TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { Inspection } from "../../kernel/inspection.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { allRules } from "./catalogue.ts";
import type { RuleReport } from "./rule.schema.ts";
import { missed, type RuleEntry, type Sight } from "./rule-entry.ts";
import { roomy, Scene } from "./scene.ts";

const MAX_PROOF = 300;

/** Tries every rule on a stage of its own, one after the other, and says what holds here (design §1.6). */
export async function examineRules(ctx: OperationContext, inspection: Inspection): Promise<RuleReport[]> {
  const reports: RuleReport[] = [];
  for (const entry of allRules(inspection.rules)) {
    const judged = await judge(entry, ctx, inspection);
    const { name: rule, place, strict, source } = entry;
    const promise = judged.ok ? {} : { promise: entry.promise };
    reports.push({ rule, place, strict, source, ...promise, ...judged, proof: plainLine(judged.proof, MAX_PROOF) });
  }
  return reports;
}

type Judged = Pick<RuleReport, "state" | "ok" | "proof">;

async function judge(entry: RuleEntry, ctx: OperationContext, inspection: Inspection): Promise<Judged> {
  const unproved = { state: entry.place === "advice" ? "off" : "audit", ok: true } as const;
  if (!entry.probe) return { ...unproved, proof: entry.reason ?? "" };
  const setting = entry.setting?.(ctx.config);
  if (setting) return { state: setting.state, ok: true, proof: setting.why };
  const sight = await tryIt(entry, inspection);
  if (sight === undefined) return { ...unproved, proof: "nothing could be tried: the store cannot be written" };
  const isOff = entry.place === "hook" && ctx.config.guard === "off" && !entry.keepsRecords;
  if (!sight.held)
    return {
      state: isOff ? "off" : "audit",
      ok: !entry.strict || sight.isChosen === true,
      proof: isOff ? `guard: off; ${sight.proof}` : sight.proof,
    };
  if (entry.place === "afterwards") return { state: "audit", ok: true, proof: sight.proof };
  return entry.hook
    ? ofHook(entry.hook, sight, entry.strict, ctx, inspection)
    : { state: "enforced", ok: true, proof: sight.proof };
}

/** Undefined where nothing can be written. What fails in another way has not held. */
async function tryIt(entry: RuleEntry, inspection: Inspection): Promise<Sight | undefined> {
  const { probe, adjust } = entry;
  try {
    return await inspection.rehearse(
      async (stage) => probe?.(new Scene(stage)) ?? missed("it has no probe"),
      (config) => (adjust ? adjust(roomy(config)) : roomy(config)),
    );
  } catch (error) {
    if (error instanceof TeamwrightError && error.code === "UNAVAILABLE") return undefined;
    return missed(`it could not be tried: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The rule itself holds; it is enforced only where the client asks it. */
function ofHook(
  hook: NonNullable<RuleEntry["hook"]>,
  { proof }: Sight,
  strict: boolean,
  ctx: OperationContext,
  { lastHook }: Inspection,
): Judged {
  if (!lastHook) return { state: "audit", ok: true, proof: `${proof}; audit only: no client session here` };
  const what = hook.tool === "" ? hook.event : `${hook.event} of ${hook.tool}`;
  const last = lastHook(hook.event, hook.tool);
  if (last !== undefined) {
    const seconds = Math.max(0, Math.round((ctx.now - last) / 1000));
    return { state: "enforced", ok: true, proof: `${proof}; the client's hook ${what} came ${seconds} s ago` };
  }
  // this very call is one that a hook comes before
  if (ctx.principal.kind === "unverified")
    return { state: "audit", ok: !strict, proof: `no hook of the client arrives, not even for this call; ${proof}` };
  return { state: "audit", ok: true, proof: `no hook ${what} has come from the client yet; ${proof}` };
}
