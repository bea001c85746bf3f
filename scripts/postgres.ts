/**
 * A private PostgreSQL cluster in a temporary folder, for tests and trials. As a module: `await using pg = await
 * startPostgres()`; run alone it prints the URL and stays until it is interrupted.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DEBIAN_VERSIONS = "/usr/lib/postgresql";
const START_SECONDS = 30;

export interface PrivatePostgres extends AsyncDisposable {
  /** Of a superuser, with the password in it. */
  readonly url: string;
  /** Of the server while it runs. */
  readonly pid: number | undefined;
  /** Ends the server and keeps its data: in order, or as a crash that leaves recovery to the next start. */
  halt(how: "shutdown" | "crash"): Promise<void>;
  /** Starts it again where it was. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Folder of initdb and postgres, newest version first; undefined when none is installed. */
function findPostgres(): string | undefined {
  const versions = existsSync(DEBIAN_VERSIONS) ? readdirSync(DEBIAN_VERSIONS) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_VERSIONS, version, "bin"));
  return [...folders, ...askPgConfig()].find((folder) => existsSync(join(folder, "initdb")));
}

function askPgConfig(): string[] {
  try {
    return [execFileSync("pg_config", ["--bindir"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()];
  } catch {
    return [];
  }
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root; its package brings a user for it. */
function accountToUse(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/** Ends the child when this process is killed too, where the tool for it exists. */
function withParent(command: string, args: string[], account: Account | undefined): [string, string[]] {
  if (!existsSync("/usr/bin/setpriv")) return [command, args];
  const user = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"] : [];
  return ["/usr/bin/setpriv", [...user, "--pdeathsig=SIGQUIT", command, ...args]];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function untilReady(server: ChildProcess): Promise<void> {
  let log = "";
  const ready = new Promise<void>((resolve, reject) => {
    server.stderr?.on("data", (data) => {
      log = (log + data).slice(-4000);
      if (log.includes("ready to accept connections")) resolve();
    });
    server.once("exit", () => reject(new Error(`PostgreSQL did not start:\n${log}`)));
    setTimeout(
      () => reject(new Error(`PostgreSQL was not ready after ${START_SECONDS} s:\n${log}`)),
      START_SECONDS * 1000,
    ).unref();
  });
  await ready;
}

export async function startPostgres(): Promise<PrivatePostgres> {
  const bin = findPostgres();
  if (!bin) throw new Error("No PostgreSQL found; on Debian and Ubuntu: apt-get install postgresql");
  const account = accountToUse();
  const folder = mkdtempSync(join(tmpdir(), "teamwright-pg-"));
  const data = join(folder, "data");
  const env = { PATH: process.env.PATH, LC_ALL: "C" };
  try {
    // A password, because any user of the machine reaches the port, and a superuser runs commands as us.
    const password = randomBytes(18).toString("base64url");
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (account) for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid);
    const init = [
      "--pgdata",
      data,
      "--username=teamwright",
      "--auth=scram-sha-256",
      `--pwfile=${passwordFile}`,
      "--encoding=UTF8",
      "--no-instructions",
    ];
    execFileSync(join(bin, "initdb"), init, { ...account, env, cwd: folder, stdio: "pipe" });

    const port = await freePort();
    // without fsync a crash of the server still loses nothing, and no test takes the power away
    const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", "fsync=off"];
    const args = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
    const launch = () => launchServer(join(bin, "postgres"), args, { account, folder, env });
    return running(await launch(), launch, folder, `postgres://teamwright:${password}@127.0.0.1:${port}/postgres`);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Place {
  readonly account: Account | undefined;
  readonly folder: string;
  readonly env: Record<string, string | undefined>;
}

async function launchServer(binary: string, serverArgs: string[], { account, folder, env }: Place) {
  const [command, args] = withParent(binary, serverArgs, account);
  const options = { env, cwd: folder, stdio: ["ignore", "ignore", "pipe"] as ["ignore", "ignore", "pipe"] };
  const server = spawn(command, args, command.endsWith("setpriv") ? options : { ...options, ...account });
  await untilReady(server);
  // Nothing of the server keeps this process alive: whoever forgets to stop it still ends.
  server.unref();
  if (server.stderr instanceof Socket) server.stderr.unref();
  return server;
}

async function end(server: ChildProcess, signal: "SIGINT" | "SIGQUIT"): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.ref();
  server.kill(signal);
  await once(server, "exit");
}

function running(
  first: ChildProcess,
  launch: () => Promise<ChildProcess>,
  folder: string,
  url: string,
): PrivatePostgres {
  let server = first;
  const discard = () => {
    server.kill("SIGQUIT");
    for (let round = 0; round < 40 && existsSync(folder); round++) {
      try {
        rmSync(folder, { recursive: true, force: true });
      } catch {
        // It is still writing while it ends.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      }
    }
  };
  process.once("exit", discard);
  const stop = async () => {
    process.removeListener("exit", discard);
    await end(server, "SIGINT"); // fast shutdown: rolls back and closes open connections
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    url,
    get pid() {
      return server.exitCode === null && server.signalCode === null ? server.pid : undefined;
    },
    halt: (how) => end(server, how === "crash" ? "SIGQUIT" : "SIGINT"),
    resume: async () => {
      server = await launch();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

if (import.meta.main) {
  const { url, stop } = await startPostgres();
  console.log(url);
  const wait = setInterval(() => {}, 60_000);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      clearInterval(wait);
      void stop();
    });
  }
}
