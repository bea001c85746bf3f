import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PGlite } from "@electric-sql/pglite";
import { Client, InMemoryTransport } from "@modelcontextprotocol/client";
import { Kysely, PGliteDialect } from "kysely";
import { loadConfig } from "../../mcp-server/src/config/config.load.ts";
import { executorHooks, findOperation } from "../../mcp-server/src/features/index.ts";
import { execute, type Runtime } from "../../mcp-server/src/kernel/execute.ts";
import type { FilePort } from "../../mcp-server/src/kernel/operation.ts";
import type { Principal } from "../../mcp-server/src/kernel/principal.ts";
import type { Database } from "../../mcp-server/src/store/database.ts";
import type { Store } from "../../mcp-server/src/store/dialect-port.ts";
import { migratePostgres } from "../../mcp-server/src/store/migrate.ts";
import { openPostgres, postgresPort } from "../../mcp-server/src/store/postgres.ts";
import { openSqlite } from "../../mcp-server/src/store/sqlite.ts";
import { renderResult, screen } from "../../mcp-server/src/surfaces/cli/output.ts";
import { Guard } from "../../mcp-server/src/surfaces/guard/guard.ts";
import { Caller } from "../../mcp-server/src/surfaces/mcp/caller.ts";
import { builtListing } from "../../mcp-server/src/surfaces/mcp/listing.ts";
import { mcpFactory } from "../../mcp-server/src/surfaces/mcp/server.ts";

export type Dialect = "sqlite" | "pglite" | "postgres";

/** Where scenarios run: both embedded stores always, a PostgreSQL server when TEAMWRIGHT_TEST_POSTGRES names one. */
export const dialects: readonly Dialect[] = chosenDialects();

function chosenDialects(): Dialect[] {
  const wanted = process.env.DIALECTS?.split(",");
  const all: Dialect[] = process.env.TEAMWRIGHT_TEST_POSTGRES ? ["sqlite", "pglite", "postgres"] : ["sqlite", "pglite"];
  return wanted ? all.filter((dialect) => wanted.includes(dialect)) : all;
}

// a test reads members of whatever an operation answered; the shapes are the operations' own
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Answer = any;

export interface Actor {
  readonly id: string;
  /** Calls a tool as this actor and gives its structured answer; a refusal comes back as `{error}`. */
  call(tool: string, input?: Record<string, unknown>): Promise<Answer>;
  /** The same, but a refusal fails the test. */
  must(tool: string, input?: Record<string, unknown>): Promise<Answer>;
  /** The text a model would read. */
  text(tool: string, input?: Record<string, unknown>): Promise<string>;
}

export interface World extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly guard: Guard;
  readonly root: string;
  readonly clock: { now: number; advance(ms: number): void };
  /** The lead of a session, its calls bound by the guard; `cwd`: where the client says it is. */
  lead(session?: string, cwd?: string): Actor;
  /** Spawns an agent through the guard's hooks, as the client would. */
  spawn(
    name: string,
    options?: { role?: string; prompt?: string; session?: string; id?: string; cwd?: string },
  ): Promise<Actor>;
  /** An agent that hooks have started by hand. */
  known(agentId: string, agentType: string, session?: string, cwd?: string): Actor;
  /** A caller the guard knows nothing of. */
  stranger(): Actor;
  hook(payload: Record<string, unknown>): Promise<Answer>;
  /** Runs an operation as a person at the command line. */
  person(operation: string, input?: Record<string, unknown>, files?: FilePort): Promise<Answer>;
  /** The same, as the command line shows it without colour. */
  personText(operation: string, input?: Record<string, unknown>): Promise<string>;
}

export interface WorldOptions {
  readonly dialect?: Dialect;
  /** Text of teamwright.yaml. */
  readonly config?: string;
  readonly identity?: "strict" | "advisory";
}

export const START = Date.UTC(2026, 10, 1, 9, 0, 0);

/** A store of its own, the real MCP server and a real client in memory, a guard, and a clock the test moves. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const root = mkdtempSync(join(tmpdir(), "teamwright-test-"));
  if (options.config !== undefined) writeFileSync(join(root, "teamwright.yaml"), options.config);
  const config = loadConfig(root);
  const store = await openDialect(options.dialect ?? "sqlite", root);
  const clock = {
    now: START,
    advance(ms: number) {
      clock.now += ms;
    },
  };
  const hooks = executorHooks(store.replica, config.identity ?? options.identity ?? "advisory");
  const runtime: Runtime = { store, config, hooks, now: () => clock.now };
  const guard = new Guard(runtime);
  const server = mcpFactory(new Caller(async () => ({ runtime, guard }), undefined), await builtListing("all"))();
  const client = new Client({ name: "test-client", version: "1.0.0" });
  const [serverSide, clientSide] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(serverSide), client.connect(clientSide)]);
  let calls = 0;
  const next = () => {
    calls += 1;
    return calls;
  };

  const actor = (id: string, bind: ((tool: string, useId: string) => Promise<void>) | undefined): Actor => {
    const raw = async (tool: string, input: Record<string, unknown> = {}) => {
      const useId = `toolu_${next()}`;
      await bind?.(tool, useId);
      return client.callTool({
        name: tool,
        arguments: input,
        ...(bind ? { _meta: { "claudecode/toolUseId": useId } } : {}),
      });
    };
    const call: Actor["call"] = async (tool, input) => (await raw(tool, input)).structuredContent;
    return {
      id,
      call,
      must: async (tool, input) => {
        const answer = await call(tool, input);
        if (answer?.error)
          throw new Error(`${tool}: ${answer.error.code} ${answer.error.message} ${answer.error.problems ?? ""}`);
        return answer;
      },
      text: async (tool, input) => {
        const [first] = (await raw(tool, input)).content as { text: string }[];
        return first?.text ?? "";
      },
    };
  };
  const hook: World["hook"] = (payload) => guard.decide({ session_id: "s1", ...payload });
  const bound =
    (session: string, agentId: string, agentType: string, cwd?: string) => async (tool: string, useId: string) => {
      await hook({
        event: "PreToolUse",
        ...(cwd === undefined ? {} : { cwd }),
        session_id: session,
        agent_id: agentId,
        agent_type: agentType,
        tool_use_id: useId,
        tool_name: `mcp__plugin_teamwright_teamwright__${tool}`,
      });
    };
  const person: World["person"] = async (operation, input = {}, files) => {
    const found = findOperation(operation);
    if (!found) throw new Error(`no operation ${operation}`);
    const principal: Principal = { kind: "human", key: "human:pat", name: "pat" };
    return execute(runtime, found, input, { principal, ...(files ? { files } : {}) });
  };
  return {
    runtime,
    guard,
    root,
    clock,
    hook,
    lead: (session = "s1", cwd) => actor(`lead:${session}`, bound(session, "", "", cwd)),
    known: (agentId, agentType, session = "s1", cwd) => actor(agentId, bound(session, agentId, agentType, cwd)),
    stranger: () => actor("stranger", undefined),
    spawn: async (name, spawn = {}) => {
      const session = spawn.session ?? "s1";
      const agentId = spawn.id ?? `a${next()}${name}`;
      const type = spawn.role ?? "teamwright:builder";
      const useId = `toolu_spawn_${next()}`;
      // a run asks for a score or a model
      const input = JSON.stringify({ name, subagent_type: type, model: "sonnet", prompt: spawn.prompt ?? "work" });
      await hook({
        event: "PreToolUse",
        session_id: session,
        tool_name: "Agent",
        tool_use_id: useId,
        tool_input: input,
      });
      await hook({ event: "SubagentStart", session_id: session, agent_id: agentId, agent_type: type });
      await hook({
        event: "PostToolUse",
        session_id: session,
        tool_name: "Agent",
        tool_use_id: useId,
        tool_input: input,
        tool_response: JSON.stringify({ isAsync: true, status: "async_launched", agentId }),
      });
      return actor(agentId, bound(session, agentId, type, spawn.cwd));
    },
    person,
    personText: async (operation, input = {}) => {
      const output = await person(operation, input);
      const found = findOperation(operation);
      return found ? renderResult(found, output, screen(true), clock.now) : "";
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function openDialect(dialect: Dialect, root: string): Promise<Store> {
  if (dialect === "sqlite") return openSqlite({ path: join(root, ".teamwright", "state.db"), synchronous: "normal" });
  if (dialect === "postgres") return openScratchSchema();
  return openPglite();
}

/** One that no world uses, and how its schema looked when it was made. */
let idlePglite: { pglite: PGlite; schema: string } | undefined;

const SCHEMA_NOW = `
  select count(*) || ' ' || coalesce(sum(hashtext(relname || attname || atttypid)::bigint), 0) as schema
  from pg_attribute join pg_class on pg_class.oid = attrelid where relnamespace = 'public'::regnamespace`;

/** Tables of a test hold some rows each: deleting those is many times faster than making all tables anew. */
const EMPTY_ALL = `
  set session_replication_role = replica;
  do $$ declare name text; begin
    for name in select tablename from pg_tables where schemaname = 'public' and tablename <> 'meta' loop
      if pg_relation_size(name::regclass) > 262144 then execute format('truncate %I cascade', name);
      else execute format('delete from %I', name); end if;
    end loop;
    delete from meta where key <> 'schema_version';
    for name in select sequencename from pg_sequences where schemaname = 'public' and last_value is not null loop
      perform setval(name::regclass, 1, false);
    end loop;
  end $$;
  set session_replication_role = origin;`;

/** Starting PGlite takes seconds, so a worker's tests take turns with one; two worlds at once get one each. */
async function openPglite(): Promise<Store> {
  const { PGlite } = await import("@electric-sql/pglite");
  const earlier = idlePglite;
  idlePglite = undefined;
  const pglite = earlier?.pglite ?? new PGlite();
  const schemaNow = async () => String((await pglite.query<{ schema: string }>(SCHEMA_NOW)).rows[0]?.schema);
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) });
  if (earlier && earlier.schema === (await schemaNow())) await pglite.exec(EMPTY_ALL);
  else {
    await pglite.exec("drop schema public cascade; create schema public;");
    await migratePostgres(db);
  }
  const schema = earlier?.schema ?? (await schemaNow());
  return {
    db,
    port: postgresPort(),
    location: "pglite",
    readOnly: undefined,
    isNewer: false,
    replica: "pglite",
    close: async () => {
      // destroying Kysely would close PGlite with it, and that is to be used again
      if (idlePglite) await db.destroy();
      else idlePglite = { pglite, schema };
    },
  };
}

let schemas = 0;

/** A schema of its own on the server the environment names: a database for each test would take seconds. */
async function openScratchSchema(): Promise<Store> {
  const base = process.env.TEAMWRIGHT_TEST_POSTGRES;
  if (!base) throw new Error("TEAMWRIGHT_TEST_POSTGRES is not set");
  const { default: pg } = await import("pg");
  schemas += 1;
  const name = `tw_${process.pid}_${Date.now()}_${schemas}`;
  const admin = new pg.Client({ connectionString: base });
  await admin.connect();
  await admin.query(`create schema ${name}`);
  await admin.end();
  const url = new URL(base);
  url.searchParams.set("options", `-c search_path=${name}`);
  return openPostgres(url.toString());
}
