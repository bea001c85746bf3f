import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { refuseFile } from "../../kernel/file-refusal.ts";

/** Where an experiment's files go; paths are relative, with slashes. */
export interface Output {
  write(path: string, text: string): void;
}

/** Throws INVALID_INPUT where no folder can be. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    // a file in its place is told as one that is there, which is no use to anybody
    refuseFile("write", folder, (error as NodeJS.ErrnoException).code === "EEXIST" ? { code: "ENOTDIR" } : error);
  }
}

/** A folder: each file is whole or not there, whenever the process is killed. Throws INVALID_INPUT where none can be. */
export function folderOutput(folder: string): Output {
  return {
    write(path, text) {
      const target = join(folder, path);
      const temporary = `${target}.tmp`;
      try {
        writeInto(temporary, text);
        renameSync(temporary, target);
      } catch (error) {
        refuseFile("write", target, error);
      }
    },
  };
}

function writeInto(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    makeFolder(dirname(path)); // the first file of its folder
    writeFileSync(path, text);
  }
}

/** For runs whose report alone is wanted. */
export const noOutput: Output = { write: () => {} };

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** `sprint-01`: two digits at least, as the documents have it (requirement OU-01). */
export function sprintFolder(n: number): string {
  return `sprint-${String(n).padStart(2, "0")}`;
}
