import type { GuardRule } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { findOperation } from "../index.ts";
import { type CommandKind, shellRefusal } from "./agent.rules.ts";

export function shellGuard(): GuardRule {
  return {
    name: "command-line",
    promise: "No agent writes through the command line, starts a second server or opens the store from a shell.",
    failsClosed: true,
    beforeTool: {
      tools: /^(Bash|PowerShell|Monitor)$/,
      async decide({ call }) {
        const refusal = shellRefusal(textOf(call.toolInput.command), kindOf);
        return refusal === undefined ? undefined : { refusal };
      },
    },
  };
}

const kindOf: CommandKind = (noun, verb) => {
  const found = findOperation(`${noun}_${verb.replaceAll("-", "_")}`);
  if (found === undefined) return undefined;
  if (found.kind === "read") return "read";
  return found.mcp === "none" ? "person" : "write";
};

export function storeGuard(): GuardRule {
  return {
    name: "store-files",
    promise: "No tool of the client writes below .teamwright.",
    failsClosed: true,
    beforeTool: {
      tools: /^(Edit|MultiEdit|Write|NotebookEdit)$/,
      async decide({ call }) {
        const path = textOf(call.toolInput.file_path) || textOf(call.toolInput.notebook_path);
        return /(^|[\\/])\.teamwright([\\/]|$)/.test(path)
          ? { refusal: "The store under .teamwright is written by the teamwright tools only." }
          : undefined;
      },
    },
  };
}
