/** Looks at a project's store from the test's own process, beside the processes that are tested. */
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute } from "../../mcp-server/src/kernel/execute.ts";
import { openRuntime } from "../../mcp-server/src/runtime.ts";
import type { Reply } from "./raw-server.ts";

export interface Inspector extends AsyncDisposable {
  readonly runtime: Awaited<ReturnType<typeof openRuntime>>;
  /** Runs an operation as a person at the command line would. */
  call(operation: string, input?: Record<string, unknown>): Promise<Reply>;
  /** What doctor_check finds wrong: integrity, event chain, counters, claims. */
  failedChecks(): Promise<unknown[]>;
  /** Makes so many ready tasks and gives their ids. */
  seed(count: number): Promise<string[]>;
}

export async function inspect(root: string): Promise<Inspector> {
  const runtime = await openRuntime({ start: root, defaultIdentity: "advisory" });
  const call: Inspector["call"] = (name, input = {}) => {
    const operation = findOperation(name);
    if (!operation) throw new Error(`no operation ${name}`);
    return execute(runtime, operation, input, { principal: { kind: "human", key: "human:pat", name: "pat" } });
  };
  return {
    runtime,
    call,
    async failedChecks() {
      const { checks } = await call("doctor_check");
      return checks.filter((check: { ok: boolean }) => !check.ok);
    },
    async seed(count) {
      const ids: string[] = [];
      for (let start = 0; start < count; start += 500) {
        const size = Math.min(500, count - start);
        const tasks = Array.from({ length: size }, (_, n) => ({ title: `Do part ${start + n}` }));
        ids.push(...(await call("task_create", { tasks })).tasks.map((task: { id: string }) => task.id));
      }
      return ids;
    },
    [Symbol.asyncDispose]: () => runtime.close(),
  };
}
