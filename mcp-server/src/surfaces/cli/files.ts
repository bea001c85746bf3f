import { constants } from "node:fs";
import { type FileHandle, open, readFile, realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { refuseFile } from "../../kernel/file-refusal.ts";
import type { FilePort } from "../../kernel/operation.ts";
import { replaceFile } from "../../kernel/replace-file.ts";
import { countLines, findFiles, matcher } from "./find-files.ts";

/** Files as the user names them, relative to the folder the command was started in; `-` reads standard input. */
export function filePort(cwd: string, projectRoot: string): FilePort {
  return {
    folder: cwd,
    async read(path, limit) {
      if (path === "-") return (await readStandardInput(limit)).toString("utf8");
      const text = limit === undefined ? readFile(resolve(cwd, path), "utf8") : readStart(resolve(cwd, path), limit);
      return text.catch((error: unknown) => refuseFile("read", path, error));
    },
    async readBytes(path) {
      if (path === "-") return readStandardInput();
      return readFile(resolve(cwd, path)).catch((error: unknown) => refuseFile("read", path, error));
    },
    tree: {
      find: (names, options) => findFiles(cwd, names, options),
      countLines: (path) => countLines([cwd, projectRoot], path),
      matcher,
    },
    async write(path, chunks) {
      await put(resolve(cwd, path), chunks).catch((error: unknown) => refuseFile("write", path, error));
    },
  };
}

async function readStandardInput(limit = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= limit) break;
  }
  return Buffer.concat(chunks);
}

async function readStart(path: string, limit: number): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size <= limit) return await file.readFile("utf8");
    const { buffer, bytesRead } = await file.read(Buffer.alloc(limit), 0, limit, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function put(asked: string, chunks: Iterable<string>): Promise<void> {
  const target = await realpath(asked).catch(() => asked);
  const existing = await stat(target).catch(() => undefined);
  if (existing && !existing.isFile() && !existing.isDirectory()) return writeThrough(target, chunks);
  await replaceFile(target, (file) => writeAll(file, chunks));
}

/** A device or a pipe cannot be replaced. */
async function writeThrough(target: string, chunks: Iterable<string>): Promise<void> {
  const file = await open(target, constants.O_WRONLY);
  try {
    await writeAll(file, chunks);
  } finally {
    await file.close();
  }
}

const BUFFER_CHARACTERS = 1 << 20;

async function writeAll(file: FileHandle, chunks: Iterable<string>): Promise<void> {
  let pending = "";
  for (const chunk of chunks) {
    pending += chunk;
    if (pending.length < BUFFER_CHARACTERS) continue;
    await file.writeFile(pending);
    pending = "";
  }
  await file.writeFile(pending);
}
