/**
 * The scenarios, races and crashes once more on a PostgreSQL server of their own, and what only a server can show.
 * `npm run test:postgres [-- vitest options]`
 */
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { startPostgres } from "./postgres.ts";

const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules/.bin");
/** Less than `npm run test:heavy` does on SQLite: a transaction takes several round trips here. */
const sizes = { TEAMWRIGHT_TEST_TASKS: "600", TEAMWRIGHT_TEST_KILLS: "25" };
const projects = ["scenarios", "heavy", "postgres"].flatMap((name) => ["--project", name]);
const options = ["run", ...projects, "--maxWorkers=2", "-t", "postgres", ...process.argv.slice(2)];

const server = await startPostgres();
let code = 1;
try {
  code = await new Promise<number>((resolve) => {
    const child = spawn(join(bin, "vitest"), options, {
      cwd: root,
      stdio: "inherit",
      env: {
        ...sizes,
        ...process.env,
        PATH: `${bin}${delimiter}${process.env.PATH}`,
        DIALECTS: "postgres",
        TEAMWRIGHT_TEST_POSTGRES: server.url,
      },
    });
    child.on("error", () => resolve(1));
    child.on("close", (status) => resolve(status ?? 1));
  });
} finally {
  await server.stop();
}
process.exit(code);
