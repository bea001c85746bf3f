/** `npm run demo`, the first half of `npm start`: two teams of scripted agents drain a real backlog on the built server. No account, no model, no network. */
import { writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { limitsOf } from "../../mcp-server/src/config/config.schema.ts";
import { Story } from "./acts.ts";
import { Agent, type Answer, sleep } from "./agent.ts";
import { type Note, noteOf, renderNote } from "./feed.ts";
import { renderBoard, renderFrame, sizes } from "./frame.ts";
import { buildBundle, isBundleStale, makeProject, teamwright } from "./prepare.ts";
import { faultsOf, type Result, renderSummary } from "./summary.ts";
import { Screen, seconds } from "./terminal.ts";
import { readTrail } from "./trail.ts";
import { type Board, type Card, type Column, Watch } from "./watch.ts";
import { drain, type Shift } from "./work.ts";

const root = join(import.meta.dirname, "../..");
const LONGEST_RUN = 90_000;
const [LOOK_EVERY, DRAW_EVERY] = [80, 150];

const screen = new Screen();
const agents: Agent[] = [];

function chooseFolder(): string {
  const { values } = parseArgs({ options: { out: { type: "string" } } });
  const stamp = new Date().toISOString().slice(0, 19).replace(/[:-]/g, "").replace("T", "-");
  return values.out ? resolve(values.out) : join(root, "out", `start-${stamp}`);
}

/** Says what is done and, when it is done, how long it took. */
async function step<T>(what: string, work: () => Promise<T>, detail: (answer: T) => string): Promise<T> {
  const begun = performance.now();
  const view = screen.view();
  if (screen.isLive) process.stdout.write(view.paint("dim", `… ${what}\r`));
  const answer = await work();
  const text = `${view.paint("green", "✓")} ${what}: ${detail(answer)} ${view.paint("dim", seconds(performance.now() - begun))}`;
  screen.line(screen.isLive ? `\u001b[K${text}` : text);
  return answer;
}

async function prepare(folder: string): Promise<void> {
  if (isBundleStale()) await step("Build the server", buildBundle, () => "dist/ is up to date");
  makeProject(folder);
  await step(
    "Import the backlog",
    () => teamwright(folder, "task", "import", "backlog.jsonl"),
    (report) => {
      if (report.error || report.created !== report.total)
        throw new Error(`import: ${JSON.stringify(report.error ?? report.rows)}`);
      return `${report.created} of ${report.total} BEADS issues into a new store`;
    },
  );
}

/** Everything that is shown while the agents work. */
class Show {
  readonly notes: Note[] = [];
  boards: Board[] = [];
  readonly #closed: (Card & { team: string | null })[] = [];
  readonly #begun = Date.now();
  readonly #titles: Map<string, string>;

  constructor(titles: Map<string, string>) {
    this.#titles = titles;
  }

  add(note: Note | undefined): void {
    if (!note) return;
    this.notes.push(note);
    if (!screen.isLive) screen.line(renderNote(note, this.#begun, screen.view()));
  }

  follow(watch: Watch): void {
    watch.onEvent((event) => {
      if (event.type === "task.created" && event.after && event.subject)
        this.#titles.set(event.subject, JSON.parse(event.after).title);
      const id = event.subject ?? "";
      const title = this.#titles.get(id) ?? "";
      if (event.type === "task.closed") this.#closed.unshift({ id, title, state: "closed", team: event.team });
      this.add(noteOf(event, this.#titles));
    });
  }

  /** The boards as they are now, with the latest cards on top of the done column. */
  async refresh(watch: Watch, cards: number): Promise<void> {
    const boards = await watch.boards(cards);
    this.boards = boards.map((board) => ({
      ...board,
      columns: board.columns.map((column) =>
        column.column === "done" ? this.#latestFirst(board.team, column) : column,
      ),
    }));
  }

  #latestFirst(team: string, column: Column): Column {
    const latest = this.#closed.filter((card) => card.team === team);
    return {
      ...column,
      tasks: [...latest, ...column.tasks.filter(({ id }) => !latest.some((card) => card.id === id))],
    };
  }

  draw(): void {
    if (!screen.isLive || this.boards.length === 0) return;
    const view = screen.view();
    const ticker = this.notes.slice(-10).map((note) => renderNote(note, this.#begun, view));
    screen.draw(
      renderFrame({ boards: this.boards, agents, ticker, elapsedMs: Date.now() - this.#begun }, view, screen.rows),
    );
  }

  /** A pipe gets the boards once, at the end. */
  drawLast(): void {
    this.draw();
    screen.close();
    if (screen.isLive) return;
    for (const board of this.boards) screen.line(["", ...renderBoard(board, screen.view(), 5)].join("\n"));
  }
}

async function run(folder: string, watch: Watch, tasks: readonly Answer[]): Promise<Story> {
  const show = new Show(new Map(tasks.map((task) => [task.id, task.title])));
  const over = new AbortController();
  const say: Shift["say"] = (agent, what, about) =>
    show.add({
      at: Date.now(),
      team: agent.team,
      who: agent.name,
      what,
      about,
      colour: what === "restarts" ? "green" : "red",
    });
  const epics = tasks.filter((task) => task.kind === "epic" && task.state !== "closed").map((task) => task.id);
  const story = new Story(folder, watch, epics, say);
  await watch.look();
  show.follow(watch);
  watch.onEvent((event) => void story.lead(event).catch(() => over.abort()));
  await story.open(agents);

  const shift: Shift = { over: over.signal, say, onClaim: (agent, task, fence) => story.onClaim(agent, task, fence) };
  const timer = setTimeout(() => over.abort(), LONGEST_RUN);
  const working = Promise.all(agents.map((agent) => drain(agent, shift))).finally(() => over.abort());
  const watching = (async () => {
    for (let drawnAt = 0; !over.signal.aborted; await sleep(LOOK_EVERY)) {
      if ((await watch.look()) > 0 || show.boards.length === 0) await show.refresh(watch, sizes(screen.rows).cards);
      if (isDone(show.boards)) over.abort();
      if (Date.now() - drawnAt < DRAW_EVERY) continue;
      drawnAt = Date.now();
      show.draw();
    }
  })();
  await Promise.all([working, watching]).finally(() => clearTimeout(timer));
  await story.settled();
  await watch.look();
  await show.refresh(watch, 5);
  show.drawLast();
  return story;
}

function isDone(boards: readonly Board[]): boolean {
  return boards.every((board) => board.columns.every((column) => column.column === "done" || column.total === 0));
}

async function conclude(folder: string, watch: Watch, story: Story, elapsedMs: number): Promise<Result> {
  const trail = readTrail(watch.events);
  const { tasks } = await watch.read("task_list", { limit: 0 });
  const blocked = [];
  for (const { task } of trail.blocked) blocked.push((await watch.read("task_show", { id: task })).task);
  return {
    agents,
    trail,
    blocked,
    elapsedMs,
    events: watch.events,
    outcome: story.outcome,
    limits: Object.fromEntries(watch.config.teams.map(({ id }) => [id, limitsOf(watch.config, id).in_progress])),
    points: new Map(tasks.map((task: Answer) => [task.id, task.points ?? 0])),
    doctor: await teamwright(folder, "doctor", "check"),
  };
}

function save(folder: string, result: Result): void {
  const { trail, outcome, doctor, elapsedMs } = result;
  const records = agents.map(({ name, team, record }) => {
    const { callMs: _, ...rest } = record;
    return { name, team, ...rest, tasks: trail.cycles.filter((cycle) => cycle.agent === name).length };
  });
  const summary = {
    ok: faultsOf(result).length === 0,
    faults: faultsOf(result),
    elapsed_ms: elapsedMs,
    agents: records,
    trail,
    outcome,
    doctor,
  };
  writeFileSync(join(folder, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  writeFileSync(join(folder, "events.jsonl"), result.events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  const errors = agents.map((agent) => agent.errorOutput).join("");
  if (errors) writeFileSync(join(folder, "servers.log"), errors);
}

/** No server outlives the demo, however it ends. */
function endAll(): void {
  for (const agent of agents) agent.kill();
  screen.close();
}

async function main(): Promise<number> {
  const begun = Date.now();
  const folder = chooseFolder();
  const view = screen.view();
  screen.line(
    `${view.paint("bold", "Teamwright")}  two teams, one backlog, one store; every agent is an MCP client with a server of its own\n`,
  );
  await prepare(folder);
  const watch = await Watch.open(folder);
  for (const team of watch.config.teams) agents.push(...team.agents.map((name) => new Agent(name, team.id, folder)));
  await step(
    "Start the servers",
    () => Promise.all(agents.map((agent) => agent.start())),
    () => `${agents.length} processes, one per agent`,
  );
  screen.line();

  const { tasks } = await watch.read("task_list", { limit: 0 });
  const story = await run(folder, watch, tasks);
  await Promise.all(agents.map((agent) => agent.stop()));
  await watch.look();
  const result = await conclude(folder, watch, story, Date.now() - begun);
  await watch.close();
  save(folder, result);
  screen.line();
  for (const line of renderSummary(result, screen.view())) screen.line(line);
  const place = relative(process.cwd(), folder) || ".";
  screen.line(`\nThe store, the event trail and summary.json are in ${place}/. To look around:`);
  screen.line(`  cd ${place} && node ${relative(folder, join(root, "bin/teamwright"))} board show`);
  return faultsOf(result).length === 0 ? 0 : 1;
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  process.once(signal, () => {
    endAll();
    process.exit(code);
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    endAll();
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
