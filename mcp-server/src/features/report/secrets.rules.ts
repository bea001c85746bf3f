import type { Span } from "./report.schema.ts";

/** Shapes of credentials that are certain enough to stop a report; passwords in words are left to reviewers. */
const shapes: readonly string[] = [
  "AKIA[0-9A-Z]{16}",
  "ASIA[0-9A-Z]{16}",
  "gh[pousr]_[A-Za-z0-9]{30,255}",
  "github_pat_[A-Za-z0-9_]{30,255}",
  "glpat-[A-Za-z0-9_-]{20,60}",
  "npm_[A-Za-z0-9]{36}",
  "xox[abeoprs]-[A-Za-z0-9-]{10,200}",
  "sk-(?:ant-|proj-)?[A-Za-z0-9_-]{24,200}",
  "[rs]k_live_[A-Za-z0-9]{20,100}",
  "AIza[0-9A-Za-z_-]{35}",
  "eyJ[A-Za-z0-9_-]{10,500}\\.eyJ[A-Za-z0-9_-]{10,1000}\\.[A-Za-z0-9_-]{10,500}",
  "-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
];
const bare = new RegExp(`(?<![A-Za-z0-9])(?:${shapes.join("|")})`, "g");
/** `password = "…"`, `API_KEY: …`; a variable, a placeholder or stars are no secret. */
const assigned =
  /\b(?:[A-Z0-9]+[_-])*(?:password|passwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token)["']?\s*[:=]\s*["']?(?![\s"'$<{*[])([A-Za-z0-9+/_!@#%^&=.-]{12,200})/gi;
const inUrl = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@]{1,100}:([^\s/@*<${]{4,200})@/gi;
/** None of the shapes is possible without one of these. */
const hint =
  /AKIA|ASIA|gh[pousr]_|github_pat|glpat|npm_|xox|sk-|k_live|AIza|eyJ|PRIVATE|pass|secret|key|token|:\/\/[^\s/]*:/i;

/** Strings that look like credentials. */
export function findSecrets(text: string): Span[] {
  if (!hint.test(text)) return [];
  const spans: Span[] = [];
  for (const match of text.matchAll(bare)) spans.push({ start: match.index, end: match.index + match[0].length });
  for (const pattern of [assigned, inUrl]) {
    for (const match of text.matchAll(pattern)) {
      const value = match[1] ?? "";
      if (!looksRandom(value) && pattern === assigned) continue;
      const start = match.index + match[0].lastIndexOf(value);
      spans.push({ start, end: start + value.length });
    }
  }
  return spans.sort((a, b) => a.start - b.start).filter((span, index, all) => span.start >= (all[index - 1]?.end ?? 0));
}

/** Letters and digits mixed: words and constants are not credentials. */
function looksRandom(value: string): boolean {
  return /[A-Za-z]/.test(value) && /\d/.test(value) && !/^[a-z]+(?:[._-][a-z]+)*\d{0,2}$/i.test(value);
}

/** The text with stars for its secrets, of the same length. */
export function maskSecrets(text: string): string {
  let masked = text;
  for (const { start, end } of findSecrets(text))
    masked = masked.slice(0, start) + "*".repeat(end - start) + masked.slice(end);
  return masked;
}
