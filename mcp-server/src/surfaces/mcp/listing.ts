import type { ToolList, ToolListing } from "./tools.ts";

declare const TEAMWRIGHT_TOOLS: Readonly<Record<ToolList, readonly ToolListing[]>> | undefined;

/** The tools of a list: as the build has put them into the bundle, or worked out from the schemas in a checkout. */
export async function builtListing(list: ToolList): Promise<readonly ToolListing[]> {
  if (typeof TEAMWRIGHT_TOOLS !== "undefined") return TEAMWRIGHT_TOOLS[list];
  const [{ operations }, { listTools }] = await Promise.all([import("../../features/index.ts"), import("./tools.ts")]);
  return listTools(operations, list);
}
