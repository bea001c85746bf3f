import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { pairsOf } from "./bridge.store.ts";
import { type ShownPair, toShownPair } from "./bridge.view.ts";

export interface ClientTasks {
  differing: number;
  pairs: ShownPair[];
}

const MOST = 10;

/**
 * Where the client's list and the durable tasks differ, for a lead and for people: all of the lead's own list, of other
 * sessions what is unfinished here; undefined when there is nothing (requirement BD-07).
 */
export async function differencesFor(ctx: OperationContext, principal: Principal): Promise<ClientTasks | undefined> {
  if (ctx.config.bridge !== "on" || principal.kind === "agent") return undefined;
  const filter = { unfinishedHere: principal.session ?? "", onlyDifferent: true, limit: MOST };
  const { pairs, total } = await pairsOf(ctx.db, filter);
  return total === 0 ? undefined : { differing: total, pairs: pairs.map(toShownPair) };
}
