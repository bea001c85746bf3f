import { hint, renderError, TeamwrightError } from "../../kernel/errors.ts";
import { nearest } from "../../kernel/nearest.ts";
import type { Dialog } from "./questions.ts";

export const GUARD_TOOL = "guard";

export interface ToolAnswer {
  [key: string]: unknown;
  content: { type: "text"; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

/** What a server hands its calls to. */
export interface Calls {
  clientName: string | undefined;
  guardCall(input: Record<string, unknown>): Promise<ToolAnswer>;
  call(name: string, input: unknown, toolUseId: string | undefined, dialog?: Dialog): Promise<ToolAnswer>;
}

export function unknownTool(name: string, names: readonly string[]): ToolAnswer {
  const close = nearest(name, names);
  return errorAnswer(
    new TeamwrightError(
      "NOT_FOUND",
      `There is no tool of this name${close ? `; did you mean ${close}?` : "."}`,
      hint("brief_show", "shows where you stand"),
    ),
  );
}

export function errorAnswer(error: TeamwrightError, nameOf?: (operation: string) => string): ToolAnswer {
  return {
    content: [{ type: "text", text: renderError(error, nameOf) }],
    structuredContent: {
      error: {
        code: error.code,
        message: error.message,
        ...(error.problems.length > 0 ? { problems: error.problems } : {}),
        ...(error.hint ? { next: error.hint.operation } : {}),
      },
    },
    isError: true,
  };
}
