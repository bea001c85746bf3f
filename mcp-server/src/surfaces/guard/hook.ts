import { existsSync } from "node:fs";
import { join } from "node:path";
import { findProjectRoot, stateFolder } from "../../config/project-root.ts";
import { composeBrief } from "../../features/brief/brief.store.ts";
import { inTransaction } from "../../kernel/execute.ts";
import { isRecord, textOf } from "../../kernel/records.ts";
import { configStamp, openRuntime } from "../../runtime.ts";
import { endClaims } from "./ending.ts";

/**
 * The two hooks that run outside the server: it is not up yet, or gone already. They only ever say how things stand or
 * free claims of the session that has ended, and never fail the client.
 */
export async function runHook(name: string, input: string, start: string): Promise<string> {
  try {
    const parsed: unknown = JSON.parse(input || "{}");
    const payload = isRecord(parsed) ? parsed : {};
    const session = textOf(payload.session_id);
    const root = findProjectRoot(start);
    if (session === "" || !(await hasStore(root))) return "";
    const runtime = await openRuntime({ start, defaultIdentity: "strict" });
    try {
      if (name === "session-end") {
        await endClaims(runtime, {
          holders: [],
          session,
          reason: `session ended (${textOf(payload.reason) || "other"})`,
        });
        return "";
      }
      return await sessionBrief(runtime, session);
    } finally {
      await runtime.close();
    }
  } catch (error) {
    process.stderr.write(`teamwright hook ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return "";
  }
}

/** A session in a project that does not use Teamwright makes no store. */
async function hasStore(root: string): Promise<boolean> {
  if (existsSync(join(stateFolder(root), "state.db"))) return true;
  if (configStamp(root) === "") return false;
  const { loadConfig } = await import("../../config/config.load.ts");
  return loadConfig(root).storage.url !== undefined;
}

/** One line for the lead when there is unfinished work; nothing at all otherwise. */
async function sessionBrief(runtime: Awaited<ReturnType<typeof openRuntime>>, session: string): Promise<string> {
  const principal = { kind: "lead", key: `lead:${session}`, name: "lead", session } as const;
  const brief = await inTransaction(runtime, { principal }, "session_start", (ctx) => composeBrief(ctx, principal));
  const sum = (column: "backlog" | "ready" | "in_progress" | "review") =>
    brief.boards.reduce((total, board) => total + board[column], 0);
  const open = sum("backlog") + sum("ready") + sum("in_progress") + sum("review");
  if (open === 0) return "";
  const text = `Teamwright holds ${open} unfinished tasks of this project (${sum("ready")} ready, ${sum("in_progress")} in progress, ${sum("review")} in review); brief_show has the details.`;
  return JSON.stringify({ hookSpecificOutput: { hookEventName: "SessionStart", additionalContext: text } });
}
