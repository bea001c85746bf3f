import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";

const NEWLINE = 0x0a;
/** A longer line is written down and not read. */
const LONGEST_LINE = 16_000_000;
/** What a session prints beyond that is not kept. */
const MOST_KEPT = 256_000_000;

/**
 * Adds what a session prints to its log, no faster than the disk takes it, and tells each whole line. A disk that takes
 * nothing stops neither. Gives a function that ends the log on a line of its own.
 */
export function keepOutput(from: Readable, path: string, tell: (line: string) => void): () => Promise<void> {
  const log = createWriteStream(path, { flags: "a" });
  let [kept, isBroken, last] = [0, false, NEWLINE];
  log.on("error", () => {
    isBroken = true;
    from.resume();
  });
  log.on("drain", () => from.resume());
  const read = lineReader(tell);
  from.on("data", (chunk: Buffer) => {
    read(chunk);
    if (isBroken || kept + chunk.length > MOST_KEPT) return;
    kept += chunk.length;
    last = chunk.at(-1) ?? last;
    if (!log.write(chunk)) from.pause();
  });
  return async () => {
    read(Buffer.of(NEWLINE)); // a last line that nobody has ended
    log.end(last === NEWLINE ? undefined : "\n");
    await finished(log).catch(() => {});
  };
}

/** Whole lines of a stream; one that is too long to be held is passed over, whatever comes. */
export function lineReader(tell: (line: string) => void, longest = LONGEST_LINE): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let [length, isTooLong] = [0, false];
  const add = (part: Buffer) => {
    length += part.length;
    isTooLong ||= length > longest;
    if (isTooLong) parts = [];
    else parts.push(part);
  };
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      if (!isTooLong) tell(Buffer.concat(parts).toString("utf8"));
      [parts, length, isTooLong, start] = [[], 0, false, end + 1];
    }
    add(chunk.subarray(start));
  };
}
