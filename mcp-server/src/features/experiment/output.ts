import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where an experiment's files go; paths are relative, with slashes. */
export interface Output {
  write(path: string, text: string): void;
}

/** A folder: each file is whole or not there, whenever the process is killed. */
export function folderOutput(folder: string): Output {
  return {
    write(path, text) {
      const target = join(folder, path);
      const temporary = `${target}.tmp`;
      try {
        writeFileSync(temporary, text);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        mkdirSync(dirname(target), { recursive: true }); // the first file of its folder
        writeFileSync(temporary, text);
      }
      renameSync(temporary, target);
    },
  };
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
