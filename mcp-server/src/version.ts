import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

declare const TEAMWRIGHT_VERSION: string | undefined;

/** Fixed by the build; from package.json in a checkout. */
export const version: string = typeof TEAMWRIGHT_VERSION === "string" ? TEAMWRIGHT_VERSION : fromPackage();

function fromPackage(): string {
  const path = join(dirname(fileURLToPath(import.meta.url)), "../../package.json");
  const parsed: { version?: string } = JSON.parse(readFileSync(path, "utf8"));
  return parsed.version ?? "0.0.0";
}
