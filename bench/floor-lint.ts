/** Reads the reports of a folder and parses them with the markdown parser as it is: the least a linter has to do. */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromMarkdown } from "mdast-util-from-markdown";

const folder = process.argv[2] ?? ".";

async function run(): Promise<void> {
  const names = readdirSync(folder).sort();
  let nodes = 0;
  for (let start = 0; start < names.length; start += 64) {
    const texts = await Promise.all(names.slice(start, start + 64).map((name) => readFile(join(folder, name), "utf8")));
    for (const text of texts) nodes += fromMarkdown(text).children.length;
  }
  process.stdout.write(`${nodes}\n`);
}

void run();
