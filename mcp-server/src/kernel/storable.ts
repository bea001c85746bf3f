/**
 * Not every store gives back every string: PostgreSQL takes no U+0000, not even to compare with, and half a surrogate
 * pair returns as another character. Texts from elsewhere go through here, arguments are refused by the executor.
 */
export function storable(text: string): string {
  return text.replaceAll("\u0000", "").toWellFormed();
}

/** A problem for each text in a value that a store would not give back as it is, with the place where it stands. */
export function unstorable(value: unknown, place = ""): string[] {
  if (typeof value === "string")
    return storable(value) === value
      ? []
      : [`${place || "text"}: must not contain NUL characters or unpaired surrogates`];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => unstorable(member, place ? `${place}.${name}` : name));
}
