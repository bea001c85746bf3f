import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { TeamwrightError } from "../../kernel/errors.ts";
import { nearest } from "../../kernel/nearest.ts";
import { isRecord } from "../../kernel/records.ts";
import { unstorable } from "../../kernel/storable.ts";
import { wordingOf } from "../../kernel/wording.ts";
import { type Product, product, type StoryDraft, story } from "./portfolio.schema.ts";

export interface ReadStory {
  /** Counted from 1. */
  readonly line: number;
  /** As far as the file says one. */
  readonly id: string | undefined;
  readonly story?: StoryDraft;
  /** Why it is no story; empty when it is one. */
  readonly problems: readonly string[];
}

export interface BacklogFile {
  readonly stories: readonly ReadStory[];
  readonly product: Product | undefined;
}

const KEYS = ["stories", "product"];

/**
 * Reads a backlog in YAML or JSON: a list of stories, or `stories` with `product` (requirement PF-07). A bad story takes
 * no other with it. Throws INVALID_INPUT for a text that is no such file at all. `teams`: those a story may need.
 */
export function readBacklog(text: string, teams: readonly string[]): BacklogFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new TeamwrightError("INVALID_INPUT", `The backlog cannot be read: line ${line}:${col}, ${error.message}.`);
  }
  const root = document.contents;
  const named = isMap(root) ? root.items.find(({ key }) => isScalar(key) && key.value === "stories")?.value : root;
  const list = isAlias(named) ? named.resolve(document) : named;
  if (!isSeq(list)) throw notABacklog(plain(document));
  const whole = plain(document);
  const values = Array.isArray(whole) ? whole : isRecord(whole) ? (whole.stories as unknown[]) : [];
  const seen = new Map<string, number>();
  const stories = list.items.map((item, index): ReadStory => {
    const start = (item as { range?: [number, number, number] | null } | null)?.range?.[0] ?? 0;
    const read = { line: Math.max(1, lines.linePos(start).line), ...readStory(values[index], teams) };
    const first = read.id === undefined ? undefined : seen.get(read.id);
    if (first !== undefined)
      return { line: read.line, id: read.id, problems: [`id: the story of line ${first} has it`] };
    if (read.id !== undefined) seen.set(read.id, read.line);
    return read;
  });
  return { stories, product: isRecord(whole) ? productOf(whole.product) : undefined };
}

function plain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error); // aliases of nothing, or too many
    throw new TeamwrightError("INVALID_INPUT", `The backlog cannot be read: ${why}.`);
  }
}

function notABacklog(whole: unknown): TeamwrightError {
  const close = isRecord(whole) ? Object.keys(whole).find((key) => nearest(key, KEYS) === "stories") : undefined;
  if (close === "stories") return new TeamwrightError("INVALID_INPUT", "What stands under stories is no list of them.");
  const end = close === undefined ? "." : `; did you mean stories by ${close.slice(0, 60)}?`;
  return new TeamwrightError("INVALID_INPUT", `A backlog is a list of stories, or has one under stories${end}`);
}

function productOf(value: unknown): Product | undefined {
  if (!isRecord(value)) return undefined;
  const read = product.safeParse(value);
  return read.success ? read.data : (value as Product);
}

/** Other names by which the fields are known. */
const aliases: Readonly<Record<string, string>> = {
  key: "id",
  points: "story_points",
  estimate: "story_points",
  acceptance: "acceptance_criteria",
  labels: "tags",
};
const known = Object.keys(story.shape);
const MAX_METADATA = 200_000;
/** Fields that a file may also give under `metadata`, as cards do (requirements DE-01, KB-08). */
const inMetadata = ["depends_on_team", "depends_on_story", "dependency_type", "dependency_status"];

function readStory(value: unknown, teams: readonly string[]): Omit<ReadStory, "line"> {
  if (!isRecord(value)) return { id: undefined, problems: ["a story has at least id and title"] };
  const { fields, metadata } = sorted(value);
  const id = typeof fields.id === "number" ? String(fields.id) : fields.id;
  const read = story.safeParse({ ...fields, id }, { error: wordingOf });
  const shownId = typeof id === "string" ? id.slice(0, 64) : undefined;
  const problems = (read.error?.issues ?? []).map((issue) => `${issue.path.join(".") || "story"}: ${issue.message}`);
  problems.push(...unstorable(read.data));
  const needed = fields.depends_on_team;
  if (typeof needed === "string" && !teams.includes(needed)) {
    const close = nearest(needed, teams);
    problems.push(`depends_on_team: there is no team ${needed.slice(0, 64)}${close ? `; did you mean ${close}?` : ""}`);
  }
  if (fields.depends_on_story !== undefined && needed === undefined)
    problems.push("depends_on_story: say with depends_on_team which team has it");
  const fault = metadataFault(metadata);
  if (fault !== undefined) problems.push(fault);
  if (!read.success || problems.length > 0) return { id: shownId, problems };
  return { id: read.data.id, story: { ...read.data, metadata }, problems };
}

/** Anchors make it easy to say something endless, or nearly so. */
function metadataFault(metadata: Record<string, unknown>): string | undefined {
  try {
    const { length } = JSON.stringify(metadata);
    return length > MAX_METADATA ? `metadata: ${length} characters, the most is ${MAX_METADATA}` : undefined;
  } catch {
    return "metadata: it contains itself, or what is no text, number or list";
  }
}

/** Our fields under their names and in their forms, and all else as it stands. */
function sorted(value: Record<string, unknown>) {
  const fields: Record<string, unknown> = {};
  const metadata: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(value)) {
    const name = known.includes(key) ? key : Object.hasOwn(aliases, key) ? aliases[key] : undefined;
    if (given === null || given === undefined) continue;
    if (key === "metadata" && isRecord(given)) {
      for (const [inner, each] of Object.entries(given)) {
        if (inMetadata.includes(inner) && !(inner in value)) fields[inner] = each;
        else metadata[inner] = each;
      }
    } else if (name !== undefined && !(name !== key && name in value)) fields[name] = listed(name, given);
    else metadata[key] = given;
  }
  return { fields, metadata };
}

/** One criterion or several; tags as a list, or separated by commas. */
function listed(name: string, given: unknown): unknown {
  if (typeof given !== "string") return given;
  if (name === "acceptance_criteria") return [given];
  if (name !== "tags") return given;
  return given
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}
