import { asPlaced } from "../../features/agent/agent.store.ts";
import { findOperation } from "../../features/index.ts";
import { checkTeam } from "../../features/team/team.rules.ts";
import { execute, type Runtime } from "../../kernel/execute.ts";
import type { Ask } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { storable } from "../../kernel/storable.ts";
import { plainView } from "../../kernel/view.ts";
import { LeaseKeeper } from "../guard/leases.ts";
import { type Calls, errorAnswer, GUARD_TOOL, type ToolAnswer, unknownTool } from "./answer.ts";
import { failureOf, type Opened } from "./project.ts";
import type { Dialog } from "./questions.ts";
import { fenceStored } from "./tools.ts";

/** Runs tool calls as the principal the guard bound them to, or as an unverified process. */
export class Caller implements Calls {
  clientName: string | undefined;
  readonly #open: () => Promise<Opened>;
  readonly #team: string | undefined;
  readonly #leases = new LeaseKeeper();

  /** `open` is asked at every call and throws a TeamwrightError while there is nothing to run on. */
  constructor(open: () => Promise<Opened>, team: string | undefined) {
    this.#open = open;
    this.#team = team;
  }

  async guardCall(input: Record<string, unknown>): Promise<ToolAnswer> {
    let decision: Record<string, unknown> | undefined;
    try {
      const { guard } = await this.#open();
      if (!guard) return unknownTool(GUARD_TOOL, []);
      decision = await guard.decide(input);
    } catch (error) {
      return errorAnswer(failureOf(error));
    }
    return { content: [{ type: "text", text: decision === undefined ? "" : JSON.stringify(decision) }] };
  }

  async call(name: string, input: unknown, toolUseId: string | undefined, dialog?: Dialog): Promise<ToolAnswer> {
    const operation = findOperation(name);
    if (!operation) return unknownTool(name, []);
    try {
      const { runtime, guard } = await this.#open();
      const announced = toolUseId === undefined ? undefined : guard?.take(toolUseId, name);
      // a person may have thought about the permission for as long as it takes to lend the agent
      const bound = announced && (await asPlaced(runtime.store.db, runtime.config, announced));
      if (!bound && this.#team !== undefined) checkTeam(runtime.config, this.#team);
      const principal = bound ?? this.#unverified(runtime);
      // no hook tells that an unverified caller is alive: its own calls keep its leases
      if (!bound) await this.#leases.keep(runtime, principal.key);
      // a client that nobody vouches for might have a model answer its dialogs
      const ask = bound && dialog ? askPerson(dialog, bound) : undefined;
      const inspect = async () => (await import("../guard/inspection.ts")).inspectionOf(runtime, guard);
      const output = await execute(runtime, operation, input, { principal, ask, inspect });
      const view = plainView(runtime.now());
      const text = operation.render
        ? operation.render(output, { ...view, next: (operations) => view.next(operations.map(callable)) })
        : JSON.stringify(fenceStored(output));
      return { content: [{ type: "text", text }], structuredContent: fenceStored(output) as Record<string, unknown> };
    } catch (error) {
      return errorAnswer(failureOf(error), callable);
    }
  }

  /** Nobody vouches for this caller: it is known by its process only. */
  #unverified(runtime: Runtime): Principal {
    const name = storable(this.clientName?.slice(0, 64) ?? "unknown client");
    return {
      kind: "unverified",
      key: `unverified:${runtime.store.replica}`,
      name,
      ...(this.#team === undefined ? {} : { team: this.#team }),
    };
  }

  /**
   * An orderly end frees what this process holds itself. What `session` names is over with its client: its lead and
   * agents let go, too. A client that lives may start its next server at once, for which they go on; at the session's
   * end its hook frees them, and where that fails their leases run out.
   */
  async leave({ runtime }: Opened, session: string | undefined): Promise<void> {
    if (runtime.store.readOnly) return;
    const { endClaims } = await import("../guard/ending.ts");
    await endClaims(runtime, {
      holders: [this.#unverified(runtime).key],
      session,
      reason: "its session ended",
    });
  }
}

/** What is no tool is named as the command it is: reading ones are open to agents in a shell. */
function callable(operation: string): string {
  if (findOperation(operation)?.mcp !== "none") return operation;
  return `\`teamwright ${operation.replace("_", " ").replaceAll("_", "-")}\``;
}

/** Who answers the session's dialog is the person at it: the client shows it to them and not to its model. */
function askPerson(dialog: Dialog, { session = "" }: Principal): Ask {
  const name = "the person at the session (elicitation)";
  return async (question) => {
    const answer = await dialog(question);
    if (!answer || question.choices.every(({ value }) => value !== answer.choice)) return undefined;
    return { ...answer, principal: { kind: "human", key: `human:session-${session}`, name, session } };
  };
}
