import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Puts a file in place as a whole: after a crash either the old one or the new one is there. It keeps its mode; `target`
 * is no link. Throws what the file system says.
 */
export async function replaceFile(target: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const folder = dirname(target);
  const existing = await stat(target).catch(() => undefined);
  const temporary = join(folder, `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", existing ? existing.mode & 0o777 : 0o666);
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Makes the rename itself durable; some file systems do not offer it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
