import { randomBytes } from "node:crypto";

/** Names this process in event stamps; not an identity, only a tie-breaker. */
export function replicaName(): string {
  return randomBytes(4).toString("hex");
}
