import { dirname } from "node:path";
import { makeHiddenFolder } from "./hidden-folder.ts";

/**
 * Takes a file for this process alone, until the function it gives is called or the process is gone, however it ends:
 * the operating system lets go of it then. Undefined while another process has it.
 */
export async function holdFile(path: string): Promise<(() => void) | undefined> {
  const { default: Sqlite } = await import("better-sqlite3");
  makeHiddenFolder(dirname(path));
  const db = new Sqlite(path, { timeout: 0 });
  try {
    db.exec("begin exclusive");
  } catch (error) {
    db.close();
    if (error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY")) return undefined;
    throw error;
  }
  return () => db.close();
}
