import { parseArgs } from "node:util";

/** `serve [--tools core|all] [--team ID]`; a text is what is wrong. */
export function readServeOptions(argv: readonly string[]): { tools: "core" | "all"; team?: string } | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { tools: { type: "string", default: "all" }, team: { type: "string" } },
      strict: true,
    });
    if (values.tools !== "core" && values.tools !== "all") return "teamwright serve: --tools is core or all";
    return { tools: values.tools, ...(values.team === undefined ? {} : { team: values.team }) };
  } catch (error) {
    return `teamwright serve: ${error instanceof Error ? error.message : String(error)}`;
  }
}
