/** One action a coordinator asks for, as read from one line (requirements BO-01, BO-09, PF-05, CA-02). */
export type Directive =
  | {
      readonly kind: "borrow";
      readonly agent: string;
      readonly from: string;
      readonly to: string;
      readonly reason: string;
    }
  | { readonly kind: "assign"; readonly story: string; readonly to: string; readonly reason: string }
  | { readonly kind: "recommend"; readonly text: string };

export interface UnreadLine {
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

export interface Directives {
  /** In the order of their lines. */
  readonly directives: readonly Directive[];
  /** What looks like an action and cannot be read as one; nothing is passed over in silence. */
  readonly unread: readonly UnreadLine[];
  /** True when no line was an action, so that the lines themselves became the recommendations (CO-09). */
  readonly isProse: boolean;
}

/** What a borrow or an assignment gets that names no reason (requirement BO-09). */
export const DEFAULT_REASON = "coordinator recommendation";

const MAX_TEXT = 200_000;
const MAX_LINE = 2000;
const MAX_DIRECTIVES = 200;
const MAX_UNREAD = 50;
const MAX_PROSE = 10;
const SHORTEST_PROSE = 6;

type Kind = Directive["kind"];

const LIST_MARK = /^(?:[-*+•‣▪–—>|]+|#{1,6}(?=\s)|\(?\d{1,3}[.)](?=\s)|\(?[a-z][.)](?=\s)|\[[ xX]?\])\s*/;
const ITEM = /^\s*(?:[-*+•‣▪–—|]|\(?\d{1,3}[.)]\s|\(?[a-z][.)]\s)/;
const FENCE = /^\s*(?:`{3,}|~{3,})/;
const KEYWORD =
  /^[`"'“*_]*(borrow|recommend|assign)(?:s|ed|ing|ations?|ments?)?(?:\s+(?:actions?|steps?|loans?))?(?:\s*#?\d{1,3})?[`"'”*_]*\s*(?:[:：=]|[-–—]+(?=\s))[*_]*\s*/i;
const INSIDE = /\b(?:BORROW|RECOMMEND|ASSIGN)\s*[:：]/;
const NONE =
  /^(?:none|n\/a|nil|nothing|nobody|no (?:borrows?|loans?|actions?|recommendations?|assignments?|one))(?: (?:is|are))?(?: (?:needed|required|recommended|now|this sprint|at this time))?(?:[,;:]? (?:because|since|as) .*)?[.!]?$/i;

const ID = "[\\p{L}\\p{N}](?:[\\p{L}\\p{N}_.@-]{0,62}[\\p{L}\\p{N}_-])?";
/** An agent's or a story's: the configuration leaves them more freedom than a team's. */
const WORD = "[^\\s:*,`\"'“”‘’«»<>|()]{1,200}";
const TEAM = `(?:the\\s+)?(?:team[\\s:]+)?(${ID})(?:\\s+team(?![\\p{L}\\p{N}_-]))?`;
const TAIL = "(?![\\p{L}\\p{N}_@-])(.*)$";
/** The form as it is asked for, then what is forgiven: a team may be called `the`. */
const patterns = {
  borrow: [
    new RegExp(`^(${WORD}) from (${ID}) to (${ID})( because .*)$`, "iu"),
    new RegExp(`^(?:the\\s+)?(?:agent[\\s:]+)?(${WORD})\\s+from\\s+${TEAM}\\s+to\\s+${TEAM}${TAIL}`, "iu"),
  ],
  assign: [
    new RegExp(`^(${WORD}) to (${ID})( because .*)$`, "iu"),
    new RegExp(`^(?:the\\s+)?(?:story[\\s:]+)?(${WORD})\\s+to\\s+${TEAM}${TAIL}`, "iu"),
  ],
} as const;
const CAUSE = /^(?:because|since|as|for|due\s+to|so\s+that|reason)(?::\s+|\s+|:?$|:(?=\S))/i;
const forms = {
  borrow: "BORROW: <agent> from <team> to <team> because <reason>",
  assign: "ASSIGN: <story> to <team> because <reason>",
} as const;

/** Where the reading stands between two lines. */
interface Reading {
  readonly directives: Directive[];
  readonly unread: UnreadLine[];
  readonly prose: string[];
  saysNone: boolean;
  /** The keyword that stands over the list being read. */
  list: { readonly kind: Kind; readonly line: number; readonly text: string; items: number } | undefined;
}

/**
 * Reads a coordinator's answer: `BORROW: <agent> from <team> to <team> because <reason>`, `RECOMMEND: …`,
 * `ASSIGN: <story> to <team> because <reason>`. Forgiving about case, lists, code and emphasis marks, quotes and
 * missing reasons; a keyword may also stand over a list of its items. Total: any text gives an answer.
 */
export function parseDirectives(text: string): Directives {
  const reading: Reading = { directives: [], unread: [], prose: [], saysNone: false, list: undefined };
  const lines = text.slice(0, MAX_TEXT).split(/\r\n|[\n\r\u2028\u2029]/);
  for (const [index, raw] of lines.entries()) readLine(reading, raw, index + 1);
  endList(reading);
  if (text.length > MAX_TEXT) note(reading, lines.length, "…", `only the first ${MAX_TEXT} characters are read`);
  const { directives, unread, prose } = reading;
  const isProse = directives.length === 0 && !reading.saysNone;
  if (!isProse) return { directives, unread, isProse };
  const kept = prose.map(tidy).filter((each) => each.length >= SHORTEST_PROSE);
  return { directives: kept.slice(0, MAX_PROSE).map((each) => ({ kind: "recommend", text: each })), unread, isProse };
}

function readLine(reading: Reading, raw: string, line: number): void {
  const words = withoutListMarks(raw.slice(0, MAX_LINE));
  if (words === "" || FENCE.test(raw)) return;
  const keyword = KEYWORD.exec(words);
  const kind = keyword ? (keyword[1]?.toLowerCase() as Kind) : kindWithoutColon(reading, raw, words); // one of three words
  if (kind === undefined) {
    endList(reading);
    if (INSIDE.test(words)) note(reading, line, raw, "an action begins its line");
    else reading.prose.push(words);
    return;
  }
  if (keyword) endList(reading);
  else if (reading.list) reading.list.items += 1;
  const rest = tidy(keyword ? words.slice(keyword[0].length) : words);
  if (rest === "") reading.list = { kind, line, text: raw, items: 0 };
  else if (NONE.test(rest)) reading.saysNone = true;
  else readAction(reading, kind, rest, raw, line);
}

function readAction(reading: Reading, kind: Kind, rest: string, raw: string, line: number): void {
  const action = actionOf(kind, rest);
  if (typeof action === "string") note(reading, line, raw, action);
  else if (reading.directives.length >= MAX_DIRECTIVES)
    note(reading, line, raw, "there are too many actions before it");
  else {
    reading.directives.push(action);
    if (INSIDE.test(rest)) note(reading, line, raw, "a second action of the line is not read: one action per line");
    else if (raw.length > MAX_LINE) note(reading, line, raw, `only its first ${MAX_LINE} characters are read`);
  }
}

function note(reading: Reading, line: number, raw: string, why: string): void {
  if (reading.unread.length < MAX_UNREAD) reading.unread.push({ line, text: tidy(raw).slice(0, 200), why });
}

function endList(reading: Reading): void {
  const { list } = reading;
  reading.list = undefined;
  if (list?.items === 0) note(reading, list.line, list.text, "no action follows it");
}

function withoutListMarks(raw: string): string {
  let words = raw.trim();
  for (let mark = LIST_MARK.exec(words); mark; mark = LIST_MARK.exec(words)) words = words.slice(mark[0].length);
  return raw.trim().startsWith("|") ? words.replace(/\s*\|\s*$/, "") : words;
}

/** An item of a list under a keyword; or a borrow that is clear without its colon, unlike "Borrow debt is high". */
function kindWithoutColon(reading: Reading, raw: string, words: string): Kind | undefined {
  if (/^borrow\s/i.test(words) && fitOf("borrow", words.replace(/^borrow\s+/i, ""))) return "borrow";
  return reading.list && ITEM.test(raw) ? reading.list.kind : undefined;
}

function actionOf(kind: Kind, rest: string): Directive | string {
  if (kind === "recommend") return { kind, text: rest };
  const match = fitOf(kind, kind === "borrow" ? rest.replace(/^borrow\s+(?!from\s)/i, "") : rest);
  if (!match) return `it has not the form ${forms[kind]}`;
  const reason = reasonIn(match.at(-1) ?? "");
  if (reason === undefined) return `what follows the team's name is no reason; the form is ${forms[kind]}`;
  const [, first = "", second = "", third = ""] = match;
  return kind === "borrow"
    ? { kind, agent: first, from: second, to: third, reason }
    : { kind, story: first, to: second, reason };
}

function fitOf(kind: "borrow" | "assign", text: string): RegExpExecArray | undefined {
  const plain = unquoted(text);
  for (const pattern of patterns[kind]) {
    const match = pattern.exec(plain);
    if (match) return match;
  }
  return undefined;
}

/** Ids may stand in quotes, code marks, emphasis or angle brackets; a reason keeps its own. */
function unquoted(text: string): string {
  const cut = text.search(/\s(?:because|since|due\s+to)\b/i);
  const head = cut === -1 ? text : text.slice(0, cut);
  return head.replace(/["'`*“”‘’«»<>]/g, "") + (cut === -1 ? "" : text.slice(cut));
}

/** `because …`, `: …`, `(…)`, `, …`; nothing at all is the default; undefined for words that give no reason. */
function reasonIn(tail: string): string | undefined {
  const text = tail.trim();
  const bared = text.replace(/^(?:[-–—,;:.!|]|->|→)+\s*/, "").replace(/^\((.*)\)[.!]?$/, "$1");
  const cause = CAUSE.exec(bared);
  if (text !== "" && bared === text && !cause) return undefined;
  const reason = tidy(cause ? bared.slice(cause[0].length) : bared);
  return /[\p{L}\p{N}]/u.test(reason) ? reason : DEFAULT_REASON;
}

/** One line without doubled blanks, control characters, quotes around the whole and marks that were opened before it. */
export function tidy(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: stripping them is the purpose
  let line = text.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ").trim();
  for (let before = ""; before !== line; ) {
    before = line;
    const mark = /(?:\*\*|__|`+|["”])$/.exec(line)?.[0];
    const opened = mark === "”" ? "“" : mark;
    if (mark !== undefined && opened !== undefined && line.indexOf(opened) >= line.length - mark.length)
      line = line.slice(0, -mark.length).trim();
    const quoted = /^(["'“‘«`])(.*)["'”’»`]$/.exec(line);
    if (quoted && !/["'“‘«”’»`]/.test(quoted[2] ?? "")) line = (quoted[2] ?? "").trim();
  }
  return line;
}

/** The line of a directive as coordinators are asked to write it. */
export function renderDirective(directive: Directive): string {
  switch (directive.kind) {
    case "borrow":
      return `BORROW: ${directive.agent} from ${directive.from} to ${directive.to} because ${directive.reason}`;
    case "assign":
      return `ASSIGN: ${directive.story} to ${directive.to} because ${directive.reason}`;
    default:
      return `RECOMMEND: ${directive.text}`;
  }
}

/** The known id that a word means: itself, else the only one that differs in case alone; else the word as it is. */
export function meantId(known: readonly string[], word: string): string {
  if (known.includes(word)) return word;
  const alike = known.filter((id) => id.toLowerCase() === word.toLowerCase());
  return alike.length === 1 && alike[0] !== undefined ? alike[0] : word;
}
