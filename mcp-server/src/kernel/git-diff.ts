import type { ChangedFile } from "./git.ts";

type Read = (...args: string[]) => Promise<string>;

/** git looks this far for a NUL before it takes a file for text. */
const LOOKED_AT = 8000;
const PLAIN = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"];

/**
 * The difference of two trees as a reviewer reads it. A file that git calls binary because an attribute or a setting
 * says so is shown as the text it is: whoever hands in work could hide it from its reviewer otherwise.
 */
export async function readableDiff(
  read: Read,
  base: string,
  tree: string,
  files: readonly ChangedFile[],
): Promise<string> {
  if (files.length === 0) return "";
  const literal = (paths: readonly string[]) => paths.map((path) => `:(literal,top)${path}`);
  const all = files.map(({ path }) => path);
  const counted = await read("diff", "--numstat", ...PLAIN, "-z", base, tree, "--", ...literal(all));
  const called = counted.split("\0").flatMap((line) => (line.startsWith("-\t-\t") ? [line.slice(4)] : []));
  const hidden: string[] = [];
  for (const path of called)
    if (!(await isBinary(read, base, path)) && !(await isBinary(read, tree, path))) hidden.push(path);
  const shown = all.filter((path) => !hidden.includes(path));
  const parts = [
    shown.length > 0 ? await read("diff", ...PLAIN, base, tree, "--", ...literal(shown)) : "",
    hidden.length > 0 ? await read("diff", "--text", ...PLAIN, base, tree, "--", ...literal(hidden)) : "",
  ];
  return parts.join("").replaceAll("\0", "\uFFFD"); // far into a text one may stand, and no store takes it
}

async function isBinary(read: Read, tree: string, path: string): Promise<boolean> {
  const text = await read("cat-file", "blob", `${tree}:${path}`).catch(() => "");
  return text.slice(0, LOOKED_AT).includes("\0");
}
