import { mkdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { TeamwrightError } from "./errors.ts";
import { replaceFile } from "./replace-file.ts";

/** The bytes of a file of the project; undefined when there is none. */
export async function readProjectFile(root: string, path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(root, path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new TeamwrightError("UNAVAILABLE", `${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/**
 * Puts a file of the project in place as a whole: after a crash either the old one or the new one is there. A link is
 * followed within the project only. Throws UNAVAILABLE when it cannot be written.
 */
export async function replaceProjectFile(root: string, path: string, content: Buffer | string): Promise<void> {
  try {
    const home = await realpath(root);
    await mkdir(dirname(join(home, path)), { recursive: true });
    const folder = await realpath(dirname(join(home, path)));
    const target = await realpath(join(folder, basename(path))).catch(() => join(folder, basename(path)));
    if (relative(home, resolve(target)).startsWith(".."))
      throw new TeamwrightError("UNAVAILABLE", `${path} leads out of the project and is not written.`);
    await replaceFile(target, (file) => file.writeFile(content));
  } catch (error) {
    if (error instanceof TeamwrightError) throw error;
    throw new TeamwrightError("UNAVAILABLE", `${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}
