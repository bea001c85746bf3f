/**
 * What the ratios stand on. `lines`: no SDK at all, the least a process can do to speak the protocol. `answers`: our SDK,
 * and for each tool the answer we gave, without any work. `sqlite`: the same with one raw transaction per call.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Server } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import Sqlite from "better-sqlite3";

const [mode, answersFile, databaseFile] = process.argv.slice(2);

function serveLines(): void {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { id } = JSON.parse(line) as { id?: number };
    if (id === undefined) return;
    const result = {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "floor", version: "0" },
    };
    process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
  });
}

/** A row of about the size of ours and an event, in the cheapest way there is. */
function oneTransaction(file: string): () => void {
  const db = new Sqlite(file, { timeout: 5000 });
  db.pragma("journal_mode = wal");
  db.pragma("synchronous = normal");
  db.exec(
    "create table if not exists row (id integer primary key, body text); create table if not exists event (seq integer primary key, body text)",
  );
  const row = db.prepare("insert into row (body) values (?)");
  const event = db.prepare("insert into event (body) values (?)");
  const body = "x".repeat(600);
  const work = db.transaction(() => {
    row.run(body);
    event.run(body.slice(0, 300));
  });
  return () => work.immediate();
}

function serveSdk(): void {
  const answers = JSON.parse(readFileSync(answersFile ?? "", "utf8")) as Record<
    string,
    { content: { type: "text"; text: string }[] }
  >;
  const work = mode === "sqlite" ? oneTransaction(databaseFile ?? "") : () => {};
  serveStdio(() => {
    const server = new Server({ name: "floor", version: "0" }, { capabilities: { tools: {} } });
    server.setRequestHandler("tools/list", async () => ({
      tools: Object.keys(answers).map((name) => ({ name, inputSchema: { type: "object" as const } })),
    }));
    server.setRequestHandler("tools/call", async (request) => {
      work();
      return (
        answers[request.params.name] ?? { content: [{ type: "text", text: JSON.stringify(request.params.arguments) }] }
      );
    });
    return server;
  });
  process.stdin.once("end", () => process.exit(0));
}

if (mode === "lines") serveLines();
else serveSdk();
