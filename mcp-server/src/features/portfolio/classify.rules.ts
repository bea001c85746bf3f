import type { teamTypes } from "../../config/config.schema.ts";

export type TeamType = (typeof teamTypes)[number];

/** What kind of team a story is for, how sure that is, and what it is about (requirement PF-04). */
export interface Classification {
  readonly type: TeamType;
  /** 1 said by the story, 0.8 or 0.5 by its domain and tags, 0.6 or 0.3 by its words, 0 not at all. */
  readonly confidence: number;
  readonly domains: readonly string[];
}

export interface Classified {
  readonly title: string;
  readonly description?: string | undefined;
  readonly domain?: string | undefined;
  readonly tags: readonly string[];
  readonly hint?: TeamType | undefined;
}

/** Words and starts of words (`*`) that speak for a type of team. */
const typeWords: Readonly<Record<Exclude<TeamType, "stream_aligned">, readonly string[]>> = {
  platform: [
    "infrastructure",
    "ci/cd",
    "ci",
    "deploy*",
    "docker*",
    "monitoring",
    "logging",
    "health check*",
    "connection pool*",
    "tooling",
    "pipeline*",
    "kubernetes",
  ],
  enabling: ["documentation", "training*", "onboarding", "guide*", "best practice*"],
  complicated_subsystem: [
    "algorithm*",
    "cryptograph*",
    "ml model*",
    "inference",
    "mathematical*",
    "optimization*",
    "optimisation*",
  ],
};

/** Words that tell what a story is about. */
const domainWords: Readonly<Record<string, readonly string[]>> = {
  backend: ["backend", "api*", "server*", "endpoint*", "service*", "queue*", "worker*"],
  frontend: ["frontend", "ui", "ux", "css", "page*", "screen*", "form*", "button*", "layout*", "responsive"],
  devops: ["devops", "ci/cd", "ci", "deploy*", "docker*", "kubernetes", "pipeline*", "monitoring", "logging", "helm"],
  networking: ["network*", "dns", "tls", "proxy", "load balanc*", "firewall*", "latency", "vpn"],
  security: [
    "security",
    "auth",
    "authenticat*",
    "authoriz*",
    "authoris*",
    "cryptograph*",
    "encrypt*",
    "password*",
    "oauth",
    "secret*",
  ],
  database: ["database*", "sql", "schema*", "migration*", "index*", "query", "queries", "postgres*", "sqlite"],
};

/** Domains whose work is a platform's, more surely than a product team's. */
const platformDomains = ["devops", "networking", "infrastructure", "platform"];

export function classify(story: Classified): Classification {
  const text = `${story.title}\n${story.description ?? ""}`;
  const labels = [...(story.domain === undefined ? [] : [story.domain]), ...story.tags].map(normal);
  const domains = domainsOf(labels, text);
  if (story.hint !== undefined) return { type: story.hint, confidence: 1, domains };
  const byLabel = typeByLabels(labels);
  if (byLabel) return { ...byLabel, domains };
  const byWords = typeByWords(text);
  return byWords ? { ...byWords, domains } : { type: "stream_aligned", confidence: 0, domains };
}

function normal(label: string): string {
  return label
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
}

/** 0.8 when a label is the word of a type, 0.5 when it is a domain that one type usually has. */
function typeByLabels(labels: readonly string[]): { type: TeamType; confidence: number } | undefined {
  for (const [type, words] of Object.entries(typeWords) as [TeamType, readonly string[]][])
    if (labels.some((label) => label === type || matches(label.replaceAll("_", " "), words) > 0))
      return { type, confidence: 0.8 };
  if (labels.includes("stream_aligned")) return { type: "stream_aligned", confidence: 0.8 };
  if (labels.some((label) => platformDomains.includes(label))) return { type: "platform", confidence: 0.5 };
  return labels.some((label) => Object.hasOwn(domainWords, label))
    ? { type: "stream_aligned", confidence: 0.5 }
    : undefined;
}

/** 0.6 for several different words of a type, 0.3 for one. */
function typeByWords(text: string): { type: TeamType; confidence: number } | undefined {
  let best: { type: TeamType; found: number } | undefined;
  for (const [type, words] of Object.entries(typeWords) as [TeamType, readonly string[]][]) {
    const found = matches(text, words);
    if (found > (best?.found ?? 0)) best = { type, found };
  }
  return best && { type: best.type, confidence: best.found > 1 ? 0.6 : 0.3 };
}

/** What the labels say, as they stand; else what the words say. */
function domainsOf(labels: readonly string[], text: string): string[] {
  const said = new Set(labels);
  for (const [domain, words] of Object.entries(domainWords)) if (matches(text, words) > 0) said.add(domain);
  return [...said];
}

/** How many of the words occur as words: "require quick" has no `ui` in it (requirement PF-08). */
function matches(text: string, words: readonly string[]): number {
  return words.filter((word) => patternOf(word).test(text)).length;
}

const patterns = new Map<string, RegExp>();

function patternOf(word: string): RegExp {
  let pattern = patterns.get(word);
  if (!pattern) {
    const stem = word.replace(/\*$/, "").replace(/[/.+]/g, "\\$&").replaceAll(" ", "[\\s_-]+");
    pattern = new RegExp(`(?<![\\p{L}\\p{N}])${stem}${word.endsWith("*") ? "" : "(?![\\p{L}\\p{N}])"}`, "iu");
    patterns.set(word, pattern);
  }
  return pattern;
}
