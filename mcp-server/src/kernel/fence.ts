import { randomUUID } from "node:crypto";

/**
 * Wraps stored free text so that another agent's words cannot pass for instructions (design §1.9).
 * The nonce is fresh per call, so the text cannot close its own fence.
 */
export function fenceText(label: string, text: string): string {
  const nonce = randomUUID().slice(-12); // as random as six bytes, and drawn from a supply
  return `<stored-text ${nonce} what="${label}">\n${text}\n</stored-text ${nonce}>`;
}

/** One line of foreign text for tables and lists: control characters out, cut to `width` characters. */
export function plainLine(text: string, width = 80): string {
  if (text.length <= width && /^[!-~](?:[ -~]*[!-~])?$/.test(text)) return text; // nearly every text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: stripping them is the purpose
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g, " ").trim();
  // half a pair of surrogates is no character
  return clean.length > width ? `${clean.slice(0, width - 1).replace(/[\ud800-\udbff]$/, "")}…` : clean;
}
