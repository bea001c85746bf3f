import { join } from "node:path";
import { expect, test } from "vitest";
import { listing, listingLine, listingTokens, MAX_LISTING_TOKENS, tokensOf } from "../scripts/texts/listing-cost.ts";
import { shippedTexts } from "../scripts/texts/shipped-text.ts";

const root = join(import.meta.dirname, "..");

test("skills and roles together cost a session at most 1,000 tokens before anybody uses one (CX-02)", () => {
  expect(listingTokens(root)).toBeLessThanOrEqual(MAX_LISTING_TOKENS);
  expect(listingTokens(root)).toBeGreaterThan(300);
});

test("lines are counted as the client writes them; e2e compares them with its requests", () => {
  const builder = shippedTexts(root).find(({ name }) => name === "builder");
  expect(builder && listingLine(builder)).toBe(
    "- teamwright:builder: Makes one change with clear acceptance criteria and shows that it works. Use when it is known what to make. (Tools: All tools except Agent)",
  );
  expect(tokensOf(["abc", "abc"])).toBe(2);
  expect(listing(root).map(({ part }) => part)).toEqual(["skills", "roles", "server instructions", "tool names"]);
});
