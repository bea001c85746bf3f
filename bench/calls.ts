import { copyFileSync, linkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seedProject } from "./seed.ts";
import {
  type Answer,
  type Bench,
  type Connected,
  connect,
  inMs,
  interleaved,
  type Measurement,
  median,
  node,
  p50,
  ratioOf,
  residentMb,
} from "./support.ts";

const ROUNDS = 9;
const CALLS = 60;

/** The answers we give, for floor servers to repeat: the same bytes without the work. */
async function recordAnswers(
  ours: Connected,
  calls: Readonly<Record<string, Record<string, unknown>>>,
  file: string,
): Promise<void> {
  const answers: Record<string, Answer> = {};
  for (const [tool, input] of Object.entries(calls)) {
    const answer = await ours.call(tool, input);
    if (answer.isError) throw new Error(`${tool}: ${JSON.stringify(answer.content)}`);
    answers[tool] = answer;
  }
  writeFileSync(file, JSON.stringify(answers));
}

export async function benchReads(bench: Bench): Promise<Measurement[]> {
  const root = await seedProject(bench, { tasks: 10_000, ready: 1600 });
  await using ours = await connect(bench, bench.server, root);
  const ready = await ours.call("task_ready", {});
  const id: string = ready.structuredContent.tasks[0].id;
  const calls = { task_show: { id }, task_ready: {}, board_show: {} };
  const file = join(bench.folder, "reads.json");
  await recordAnswers(ours, calls, file);
  await using echo = await connect(bench, [bench.floorServer, "answers", file], root);
  const rows: Measurement[] = [];
  for (const [tool, input] of Object.entries(calls)) {
    for (const server of [ours, echo]) await p50(CALLS * 3, () => server.call(tool, input));
    const times = await interleaved(ROUNDS, {
      ours: () => p50(CALLS, () => ours.call(tool, input)),
      floor: () => p50(CALLS, () => echo.call(tool, input)),
    });
    rows.push({
      name: `${tool} p50`,
      ours: inMs(median(times.ours)),
      floor: `${inMs(median(times.floor))} same answer, no work`,
      ratio: ratioOf(times.ours, times.floor),
      budget: 2,
    });
  }
  return rows;
}

export async function benchWrites(bench: Bench): Promise<Measurement[]> {
  const root = await seedProject(bench, { tasks: 10_000, ready: 1600 });
  await using ours = await connect(bench, bench.server, root);
  const first = await ours.call("task_claim", {});
  const { id } = first.structuredContent.task;
  const file = join(bench.folder, "writes.json");
  const changed = await ours.call("task_update", { id, notes: "seen" });
  writeFileSync(file, JSON.stringify({ task_claim: first, task_update: changed }));
  await using raw = await connect(bench, [bench.floorServer, "sqlite", file, join(bench.folder, "raw.db")], root);
  await ours.call("task_update", { id, release: "bench" });
  let n = 0;
  const change = () => {
    n += 1;
    return { id, notes: `seen ${n} times` };
  };
  const updates = () => p50(CALLS, () => ours.call("task_update", change()));
  const floor = (tool: string) => () => p50(CALLS, () => raw.call(tool, change()));
  /** The release between two claims is not timed. */
  const claims = async () => {
    const times: number[] = [];
    for (let call = 0; call < CALLS; call += 1) {
      const begun = performance.now();
      const answer = await ours.call("task_claim", {});
      times.push(performance.now() - begun);
      await ours.call("task_update", { id: answer.structuredContent.task.id, release: "bench" });
    }
    return median(times);
  };
  for (let warm = 0; warm < 3; warm += 1) {
    await updates();
    await claims();
    await floor("task_claim")();
  }
  const update = await interleaved(ROUNDS, { ours: updates, floor: floor("task_update") });
  const claim = await interleaved(ROUNDS, { ours: claims, floor: floor("task_claim") });
  const row = (name: string, times: { ours: number[]; floor: number[] }): Measurement => ({
    name,
    ours: inMs(median(times.ours)),
    floor: `${inMs(median(times.floor))} one raw transaction`,
    ratio: ratioOf(times.ours, times.floor),
    budget: 3,
  });
  return [row("task_claim p50", claim), row("task_update p50", update)];
}

/** The guard answers only the client: a hard link of node named like it stands between, as the client would. */
export async function benchGuard(bench: Bench): Promise<Measurement[]> {
  const root = await seedProject(bench, { tasks: 10_000, ready: 1600 });
  const client = join(bench.folder, "claude");
  try {
    linkSync(node, client);
  } catch {
    copyFileSync(node, client);
  }
  const relay = join(bench.folder, "relay.cjs");
  writeFileSync(
    relay,
    `require("node:child_process").spawn(${JSON.stringify(node)}, process.argv.slice(2), { stdio: "inherit" }).on("exit", (code) => process.exit(code));`,
  );
  await using ours = await connect(bench, [relay, ...bench.server], root, client, { CLAUDE_CODE_SESSION_ID: "bench" });
  const bash = {
    event: "PreToolUse",
    session_id: "bench",
    agent_id: "",
    agent_type: "",
    tool_name: "Bash",
    tool_use_id: "toolu_1",
    tool_input: JSON.stringify({ command: "npm test -- --reporter dot && git status --short" }),
    tool_response: "",
    cwd: root,
  };
  const bind = {
    ...bash,
    tool_name: "mcp__plugin_teamwright_teamwright__task_show",
    tool_input: JSON.stringify({ id: "tw-00000001" }),
  };
  const answer = await ours.call("guard", bash);
  if (answer.isError)
    return [
      {
        name: "guard decision p50",
        ours: "not measured",
        floor: "",
        ratio: Number.NaN,
        budget: 2,
        note: "the guard does not answer here",
      },
    ];
  const file = join(bench.folder, "guard.json");
  writeFileSync(file, JSON.stringify({ guard: answer }));
  await using echo = await connect(bench, [bench.floorServer, "answers", file], root);
  const rows: Measurement[] = [];
  for (const [name, input] of [
    ["Bash", bash],
    ["own tool", bind],
  ] as const) {
    for (const server of [ours, echo]) await p50(CALLS * 3, () => server.call("guard", input));
    const times = await interleaved(ROUNDS, {
      ours: () => p50(CALLS, () => ours.call("guard", input)),
      floor: () => p50(CALLS, () => echo.call("guard", input)),
    });
    rows.push({
      name: `guard decision p50, ${name}`,
      ours: inMs(median(times.ours)),
      floor: `${inMs(median(times.floor))} same answer, no work`,
      ratio: ratioOf(times.ours, times.floor),
      budget: 2,
    });
  }
  return rows;
}

export async function benchMemory(bench: Bench): Promise<Measurement[]> {
  const root = await seedProject(bench, { tasks: 10_000, ready: 1600 });
  const file = join(bench.folder, "memory.json");
  const tools = ["task_show", "task_ready", "board_show", "task_update"];
  const measure = async (args: readonly string[], id: string) => {
    await using server = await connect(bench, args, root);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const idle = residentMb(server.pid);
    for (let n = 0; n < 1500; n += 1) {
      const tool = tools[n % tools.length] ?? "task_ready";
      await server.call(tool, tool === "task_show" ? { id } : tool === "task_update" ? { id, notes: `note ${n}` } : {});
    }
    return { idle, after: residentMb(server.pid) };
  };
  const id = "tw-000003e8";
  {
    await using server = await connect(bench, bench.server, root);
    await recordAnswers(
      server,
      { task_show: { id }, task_ready: {}, board_show: {}, task_update: { id, notes: "x" } },
      file,
    );
  }
  const ours: { idle: number; after: number }[] = [];
  const floor: typeof ours = [];
  for (let round = 0; round < 3; round += 1) {
    ours.push(await measure(bench.server, id));
    floor.push(await measure([bench.floorServer, "answers", file], id));
  }
  const row = (name: string, moment: "idle" | "after", budget: number): Measurement => {
    const [a, b] = [ours.map((each) => each[moment]), floor.map((each) => each[moment])];
    return {
      name,
      ours: `${median(a).toFixed(0)} MB`,
      floor: `${median(b).toFixed(0)} MB echo server`,
      ratio: ratioOf(a, b),
      budget,
    };
  };
  return [row("resident memory, idle", "idle", 1.2), row("resident memory after 1,500 calls", "after", 1.5)];
}
