import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** A skill or a role as it is shipped to models. */
export interface ShippedText {
  readonly kind: "skill" | "agent";
  /** Of its folder or file: what the client calls it, after the plugin's name. */
  readonly name: string;
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Problem {
  readonly path: string;
  /** Stable name of the rule. */
  readonly rule: string;
  readonly message: string;
}

/** Every skill and role below a root, sorted by path. */
export function shippedTexts(root: string): ShippedText[] {
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const skills = namesIn(join(root, "skills")).map((name): ShippedText => {
    const path = `skills/${name}/SKILL.md`;
    return { kind: "skill", name, path, text: existsSync(join(root, path)) ? read(path) : "" };
  });
  const agents = namesIn(join(root, "agents")).map((file): ShippedText => {
    const path = `agents/${file}`;
    return { kind: "agent", name: file.replace(/\.md$/, ""), path, text: read(path) };
  });
  return [...skills, ...agents];
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

export interface Parts {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Front matter and body, or what is wrong with the front matter: the client loads such a file without any field. */
export function partsOf(text: string): Parts | string {
  if (!text.startsWith("---\n")) return "does not begin with front matter";
  const end = text.indexOf("\n---\n", 3);
  if (end < 0) return "has front matter that does not end";
  try {
    const fields: unknown = parse(text.slice(4, end + 1));
    if (typeof fields !== "object" || fields === null || Array.isArray(fields))
      return "has front matter without fields";
    return { fields: { ...fields }, body: text.slice(end + 5) };
  } catch (error) {
    return `has front matter that is no YAML: ${error instanceof Error ? error.message.split("\n")[0] : "unreadable"}`;
  }
}

export function wordCount(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}

/** Text outside fenced code blocks. */
export function withoutCode(body: string): string {
  return body.replace(/^(`{3,})[\s\S]*?^\1[ \t]*$/gm, "");
}

/** Names of a field that is a list or a text with commas, as the client reads tools. */
export function listOf(value: unknown): string[] {
  const items = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  return items.map((item) => String(item).trim()).filter((item) => item !== "");
}
