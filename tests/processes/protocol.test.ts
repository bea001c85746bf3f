import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import Sqlite from "better-sqlite3";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { inspect } from "../support/inspect.ts";
import { type Built, cleanEnvironment, ensureBuilt, node, openProject, rawDatabaseText } from "../support/processes.ts";
import { legacy, modern, onlyProtocol, RawServer, type Reply } from "../support/raw-server.ts";

let built: Built;
beforeAll(async () => {
  built = await ensureBuilt();
});

const command = (cwd: string) => ({ command: node, args: [...built.server, "serve"], cwd, env: cleanEnvironment() });
const statePath = (root: string) => join(root, ".teamwright/state.db");

/** What every request of the 2026-07-28 era carries. */
const envelope = {
  "io.modelcontextprotocol/protocolVersion": modern,
  "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

describe("clients", () => {
  test("the first SDK's client lists and calls tools", async () => {
    await using project = await openProject("sqlite");
    const client = new OldClient({ name: "old", version: "1" });
    await client.connect(new OldTransport(command(project.root)));
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toContain("task_claim");
    const created = await client.callTool({ name: "task_create", arguments: { title: "Greet the old client" } });
    expect(created.structuredContent).toMatchObject({ task: { title: "Greet the old client", state: "ready" } });
    expect(await client.callTool({ name: "task_show", arguments: { id: "tw-nothing" } })).toMatchObject({
      isError: true,
    });
    await client.close();
  });

  test.each(["legacy", "auto", "modern"] as const)(
    "the second SDK's client works when it negotiates %s",
    async (mode) => {
      await using project = await openProject("sqlite");
      const negotiation = mode === "modern" ? { pin: modern } : mode;
      const client = new Client({ name: "new", version: "1" }, { versionNegotiation: { mode: negotiation } });
      await client.connect(new StdioClientTransport(command(project.root)));
      expect(client.getNegotiatedProtocolVersion()).toBe(mode === "legacy" ? legacy : modern);
      const created = await client.callTool({ name: "task_create", arguments: { title: "Greet the new client" } });
      expect(created.structuredContent).toMatchObject({ task: { title: "Greet the new client" } });
      expect((await client.listTools()).tools.length).toBeGreaterThan(8);
      await client.close();
    },
  );

  test("raw lines of the 2026-07-28 era need no handshake", async () => {
    await using project = await openProject("sqlite");
    const server = new RawServer(built, project.root);
    const found = await server.request("server/discover", { _meta: envelope });
    expect(found.result.supportedVersions).toContain(modern);
    const listed = await server.request("tools/list", { _meta: envelope });
    expect(listed.result.tools.map((tool: { name: string }) => tool.name)).toContain("task_ready");
    const called = await server.request("tools/call", { name: "task_ready", arguments: {}, _meta: envelope });
    expect(called.result.structuredContent).toMatchObject({ total: 0 });
    await server.end();
    expect(onlyProtocol(server)).toEqual([]);
  });

  test.each([legacy, "2025-06-18", "2024-11-05"])("a client that opens with %s is answered in it", async (version) => {
    await using project = await openProject("sqlite");
    const server = new RawServer(built, project.root);
    const reply = await server.initialize(version);
    expect(reply.result).toMatchObject({
      protocolVersion: version,
      serverInfo: { name: "teamwright" },
      capabilities: { tools: {} },
    });
    expect(Buffer.byteLength(reply.result.instructions)).toBeLessThanOrEqual(2048);
    await server.end();
  });

  test("--tools core lists at most twelve, all of them callable", async () => {
    await using project = await openProject("sqlite");
    const server = new RawServer(built, project.root, { args: ["--tools", "core"] });
    await server.initialize();
    const { tools } = (await server.request("tools/list")).result;
    expect(tools.length).toBeLessThanOrEqual(12);
    for (const tool of tools) {
      const answer = await server.call(tool.name, { nonsense: true });
      expect(answer.error.code, tool.name).toBe("INVALID_INPUT");
    }
    await server.end();
  });
});

describe("the process", () => {
  test("it ends soon after its input closes and frees what it held", async () => {
    await using project = await openProject("sqlite");
    const server = new RawServer(built, project.root);
    await server.initialize();
    const { task } = await server.call("task_create", { title: "Hold this for a moment" });
    expect(await server.call("task_claim", { id: task.id })).toMatchObject({ task: { state: "in_progress" } });
    const end = await server.end();
    expect(end).toMatchObject({ code: 0, signal: null });
    expect(end.ms).toBeLessThan(2000);
    expect(server.stderr).toBe("");
    expect(onlyProtocol(server)).toEqual([]);
    await using store = await inspect(project.root);
    expect((await store.call("task_show", { id: task.id })).task).toMatchObject({ state: "ready" });
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s is an orderly end too", async (signal) => {
    await using project = await openProject("sqlite");
    const server = new RawServer(built, project.root);
    await server.initialize();
    const { task } = await server.call("task_create", { title: "Hold this for a moment" });
    await server.call("task_claim", { id: task.id });
    const begun = performance.now();
    server.process.kill(signal);
    expect((await server.exited).code).toBe(0);
    expect(performance.now() - begun).toBeLessThan(2000);
    await using store = await inspect(project.root);
    expect((await store.call("task_show", { id: task.id })).task).toMatchObject({ state: "ready" });
  });

  test.runIf(process.platform === "linux")(
    "started again within a session it leaves the agents their claims; with the client they come free",
    async () => {
      await using project = await openProject("sqlite");
      const bin = mkdtempSync(join(tmpdir(), "teamwright-client-"));
      const program = join(bin, "claude"); // the guard goes by the parent's name
      copyFileSync(node, program);
      const script = join(import.meta.dirname, "../support/fake-client.ts");
      const [entry = ""] = built.server;
      const client = spawn(program, [script, entry, project.root], { env: cleanEnvironment(), stdio: "pipe" });
      try {
        let said = "";
        client.stderr.on("data", (data) => {
          said += data;
        });
        const steps: Record<string, Reply> = {};
        for await (const line of createInterface({ input: client.stdout })) {
          const { step, value } = JSON.parse(line);
          steps[step] = value;
          if (step === "goes on") break;
        }
        expect(said).toBe("");
        const id = steps.after?.task.id;
        expect(steps.after?.task).toMatchObject({ holder: "ada" });
        expect(steps["goes on"]).toMatchObject({ task: { id, holder: "ada" } });
        expect(steps.left).toMatchObject({ code: 0 });
        client.kill("SIGKILL");
        await using store = await inspect(project.root);
        const state = async () => (await store.call("task_show", { id })).task.state;
        await vi.waitFor(async () => expect(await state()).toBe("ready"), { timeout: 5000, interval: 50 });
      } finally {
        client.kill("SIGKILL");
        rmSync(bin, { recursive: true, force: true });
      }
    },
  );

  test("broken, foreign and enormous lines do not end it, and only protocol is written", async () => {
    await using project = await openProject("sqlite");
    const server = new RawServer(built, project.root);
    await server.initialize();
    server.write("this is no JSON\n");
    server.write('{"jsonrpc":"2.0","id":"half\n');
    server.write("\n\n   \n");
    server.write('[]\n42\nnull\n"text"\n{}\n');
    server.write('{"jsonrpc":"1.0","id":900,"method":"tools/list"}\n');
    server.write('{"jsonrpc":"2.0","id":901,"result":{"not":"asked for"}}\n');
    server.write(
      `{"jsonrpc":"2.0","id":902,"method":"tools/call","params":{"name":"task_create","arguments":{"title":"${"x".repeat(1_000_000)}"}}}\n`,
    );
    server.write(
      `{"jsonrpc":"2.0","id":903,"method":"tools/call","params":{"name":"task_list","arguments":${"[".repeat(5000)}${"]".repeat(5000)}}}\n`,
    );
    server.write(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]).toString("latin1"));
    expect((await server.request("no/such/method")).error.code).toBe(-32601);
    expect((await server.request("tools/call", { name: 7 })).error).toBeDefined();
    expect(await server.call("task_create", { title: "Work on" })).toMatchObject({ total: 1 });
    expect((await server.call("task_list")).total).toBe(1);
    expect((await server.end()).code).toBe(0);
    expect(onlyProtocol(server)).toEqual([]);
  });

  test("a line beyond the transport's limit ends it with a word, and what it held is free", async () => {
    await using project = await openProject("sqlite");
    const server = new RawServer(built, project.root);
    await server.initialize();
    const { task } = await server.call("task_create", { title: "Hold this for a moment" });
    await server.call("task_claim", { id: task.id });
    server.write("x".repeat(11 * 1024 * 1024));
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.stderr).toMatch(/^teamwright serve: the connection broke: .*10485760 bytes\n$/);
    expect(onlyProtocol(server)).toEqual([]);
    await using store = await inspect(project.root);
    expect((await store.call("task_show", { id: task.id })).task).toMatchObject({ state: "ready" });
  });

  test("unknown tools and arguments are refused with the nearest name", async () => {
    await using project = await openProject("sqlite");
    const server = new RawServer(built, project.root);
    await server.initialize();
    const tool = await server.call("task_clam");
    expect(tool.error).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringMatching(/did you mean task_claim\?/),
    });
    const argument = await server.call("task_create", { titel: "Write it" });
    expect(argument.error).toMatchObject({
      code: "INVALID_INPUT",
      problems: [expect.stringMatching(/unknown argument titel; did you mean title\?/)],
    });
    const nested = await server.call("task_create", { tasks: [{ title: "Write it", acceptence: "x" }] });
    expect(nested.error.problems).toEqual([expect.stringMatching(/unknown argument tasks\.0\.acceptence/)]);
    for (const name of ["guard", "__proto__", "constructor", "toString", ""]) {
      expect((await server.call(name)).error, name).toMatchObject({ code: "NOT_FOUND" });
    }
    await server.end();
  });
});

describe("a start that cannot succeed is told at each call", () => {
  test("a configuration with problems names all of them", async () => {
    await using project = await openProject(
      "sqlite",
      "teams:\n  - { id: alpha, agentz: [ada] }\n  - { id: alpha }\nclaims: { lease_seconds: 1 }\n",
    );
    const server = new RawServer(built, project.root);
    expect((await server.initialize()).result.serverInfo.name).toBe("teamwright");
    expect((await server.request("tools/list")).result.tools.length).toBeGreaterThan(8);
    for (const tool of ["task_ready", "task_create", "brief_show"]) {
      const { error } = await server.call(tool, tool === "task_create" ? { title: "Write it" } : {});
      expect(error.code).toBe("INVALID_INPUT");
      expect(error.message).toMatch(/teamwright\.yaml has \d problems/);
      expect(error.problems).toContainEqual(
        expect.stringMatching(/^teamwright\.yaml:2:\d+ unknown key teams\.0\.agentz; did you mean agents\?/),
      );
      expect(error.problems).toContainEqual(expect.stringMatching(/^teamwright\.yaml:4:\d+ claims\.lease_seconds/));
    }
    expect((await server.end()).code).toBe(0);
  });

  test("a mended configuration is taken without a restart, and a broken one told again", async () => {
    await using project = await openProject("sqlite", "clams: { lease_seconds: 60 }\n");
    const file = join(project.root, "teamwright.yaml");
    const server = new RawServer(built, project.root);
    await server.initialize();
    expect((await server.call("task_ready")).error.problems).toEqual([expect.stringContaining("unknown key clams")]);
    writeFileSync(file, "claims: { lease_seconds: 6 }\nteams: [{ id: solo }, { id: duo ]\n");
    expect((await server.call("task_ready")).error.problems).not.toContainEqual(expect.stringContaining("clams"));
    writeFileSync(file, "claims: { lease_seconds: 60 }\nteams: [{ id: solo }]\n");
    const answers = await Promise.all(
      ["Mend the fence", "Mend the gate"].map((title) => server.call("task_create", { title })),
    );
    expect(answers.map(({ task }) => task.team)).toEqual(["solo", "solo"]);
    rmSync(file);
    expect(await server.call("task_ready")).toMatchObject({ total: 2 });
    expect((await server.end()).code).toBe(0);
    expect(onlyProtocol(server)).toEqual([]);
    expect(server.stderr).toBe("");
  });

  test("a store path that cannot be one", async () => {
    await using project = await openProject("sqlite");
    mkdirSync(statePath(project.root), { recursive: true });
    await expectRefusal(project.root, /cannot be opened/);
  });

  test("a file that is no database", async () => {
    await using project = await openProject("sqlite");
    mkdirSync(dirname(statePath(project.root)));
    writeFileSync(
      statePath(project.root),
      "This is a letter to grandmother, long enough to have a header.\n".repeat(100),
    );
    await expectRefusal(project.root, /cannot be opened: file is not a database/);
  });

  test("a PostgreSQL server that is not there", async () => {
    await using project = await openProject("sqlite", 'storage: { url: "postgres://nobody:secret@127.0.0.1:1/none" }');
    const message = await expectRefusal(project.root, /is not available: no database server answers/);
    expect(message).not.toContain("secret");
  });
});

async function expectRefusal(root: string, pattern: RegExp): Promise<string> {
  const server = new RawServer(built, root);
  await server.initialize();
  const { error } = await server.call("task_create", { title: "Write it" });
  expect(error).toMatchObject({ code: "UNAVAILABLE", message: expect.stringMatching(pattern) });
  expect((await server.end()).code).toBe(0);
  expect(onlyProtocol(server)).toEqual([]);
  return error.message;
}

describe("stores that cannot be written", () => {
  test("a store of a newer Teamwright is read and not written", async () => {
    await using project = await openProject("sqlite");
    {
      await using store = await inspect(project.root);
      await store.seed(3);
    }
    const db = new Sqlite(statePath(project.root));
    db.pragma("user_version = 4711");
    db.close();
    const server = new RawServer(built, project.root);
    await server.initialize();
    expect(await server.call("task_ready")).toMatchObject({ total: 3 });
    const { error } = await server.call("task_create", { title: "Write it" });
    expect(error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/schema version 4711 .* read-only.*Update Teamwright/),
    });
    expect((await server.end()).code).toBe(0);
    expect(server.stderr).toBe("");
  });

  // root ignores modes, so as root the server runs as somebody else
  test.runIf(process.platform !== "win32")(
    "a folder without write permission is read, with a clear word for writes",
    async () => {
      await using project = await openProject("sqlite");
      {
        await using store = await inspect(project.root);
        await store.seed(3);
      }
      const folder = dirname(statePath(project.root));
      for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444);
      for (const path of [folder, project.root]) chmodSync(path, 0o555);
      const other = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
      const server = new RawServer(built, project.root, { spawn: other });
      if ((await server.initialize()).error) return; // the repository itself cannot be read by somebody else
      expect(await server.call("task_ready")).toMatchObject({ total: 3 });
      const { error } = await server.call("task_create", { title: "Write it" });
      expect(error).toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringMatching(/cannot be written: only reading works/),
      });
      expect(error.message).not.toMatch(rawDatabaseText);
      expect((await server.end()).code).toBe(0);
      for (const path of [folder, project.root]) chmodSync(path, 0o755);
    },
  );

  test.runIf(process.platform !== "win32")("a folder where no store can be made says so", async () => {
    await using project = await openProject("sqlite");
    chmodSync(project.root, 0o555);
    const other = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const server = new RawServer(built, project.root, { spawn: other });
    if ((await server.initialize()).error) return; // the repository itself cannot be read by somebody else
    const { error } = await server.call("task_ready");
    expect(error).toMatchObject({ code: "UNAVAILABLE", message: expect.stringMatching(/cannot be (opened|written)/) });
    await server.end();
    chmodSync(project.root, 0o755);
  });
});

describe("where the store is", () => {
  const git = (cwd: string, ...args: string[]) =>
    execFileSync(
      "git",
      ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always", ...args],
      { cwd, stdio: "pipe", env: cleanEnvironment() },
    );

  async function createFrom(cwd: string, title: string): Promise<void> {
    const server = new RawServer(built, cwd);
    await server.initialize();
    expect((await server.call("task_create", { title })).error).toBeUndefined();
    await server.end();
  }

  test("all worktrees and subfolders of a repository share one; a submodule and a plain folder have their own", async () => {
    await using project = await openProject("sqlite");
    const main = join(project.root, "main");
    const library = join(project.root, "library");
    for (const folder of [main, library]) {
      mkdirSync(folder);
      git(folder, "init", "-q");
      writeFileSync(join(folder, "file"), "x");
      git(folder, "add", ".");
      git(folder, "commit", "-q", "-m", "first");
    }
    git(main, "worktree", "add", "-q", join(project.root, "side"), "-b", "side");
    git(main, "submodule", "add", "-q", library, "lib");
    mkdirSync(join(main, "deep/down"), { recursive: true });
    const plain = mkdtempSync(join(tmpdir(), "teamwright-plain-"));
    mkdirSync(join(plain, "below"));
    try {
      await createFrom(join(main, "deep/down"), "Start below");
      await createFrom(join(project.root, "side"), "Start at the side");
      await createFrom(join(main, "lib"), "Start in the submodule");
      await createFrom(plain, "Start in the plain folder");
      await createFrom(join(plain, "below"), "Start below the plain folder");
      expect(
        [main, join(project.root, "side"), join(main, "lib"), plain, join(plain, "below")].map((folder) =>
          existsSync(statePath(folder)),
        ),
      ).toEqual([true, false, true, true, false]);
      for (const [folder, total] of [
        [main, 2],
        [join(main, "lib"), 1],
        [plain, 2],
      ] as const) {
        await using store = await inspect(folder);
        expect((await store.call("task_list")).total, folder).toBe(total);
      }
    } finally {
      rmSync(plain, { recursive: true, force: true });
    }
  });
});
