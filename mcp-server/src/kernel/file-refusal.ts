import { TeamwrightError } from "./errors.ts";
import { isRecord } from "./records.ts";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  EBUSY: "it is in use",
  ENOSPC: "the disk is full",
  EROFS: "the disk is read-only",
  ENOTDIR: "a part of the path is no folder",
};

/** What the file system says, as a refusal: NOT_FOUND, or INVALID_INPUT with the reason; anything else is thrown as it is. */
export function refuseFile(what: "read" | "write", path: string, error: unknown): never {
  const code = isRecord(error) || error instanceof Error ? String((error as { code?: unknown }).code) : "";
  if (error instanceof TeamwrightError) throw error;
  if (code === "ENOENT")
    throw new TeamwrightError("NOT_FOUND", `There is no ${what === "read" ? "file" : "folder for"} ${path}.`);
  const reason = reasons[code];
  if (reason === undefined) throw error;
  throw new TeamwrightError("INVALID_INPUT", `Cannot ${what} ${path}: ${reason}.`);
}
