import fc from "fast-check";
import { expect, test } from "vitest";
import { bounds, histogram, renderMetrics } from "./prometheus.rules.ts";

test("names, help and values stand as Prometheus reads them (ME-01)", () => {
  const text = renderMetrics([
    { name: "none", type: "gauge", help: "left out", samples: [] },
    {
      name: "sprint_velocity",
      type: "gauge",
      help: "Points\nof a \\ sprint",
      samples: [
        { labels: { team_id: "checkout-stream" }, value: 8 },
        { labels: { team_id: 'a"b\\c\nd' }, value: 0.5 },
      ],
    },
  ]);
  expect(text).toBe(
    "# HELP sprint_velocity Points\\nof a \\\\ sprint\n# TYPE sprint_velocity gauge\n" +
      'sprint_velocity{team_id="checkout-stream"} 8\nsprint_velocity{team_id="a\\"b\\\\c\\nd"} 0.5\n',
  );
});

test("a label's value never ends its line or its quotes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (value) => {
      const text = renderMetrics([
        { name: "m", type: "gauge", help: "h", samples: [{ labels: { l: value }, value: 1 }] },
      ]);
      const line = text.split("\n")[2] ?? "";
      const quoted = /^m\{l="((?:[^"\\\n]|\\.)*)"\} 1$/.exec(line)?.[1];
      expect(quoted?.replace(/\\(.)/g, (_, sign) => (sign === "n" ? "\n" : sign))).toBe(value);
    }),
  );
});

test("buckets grow and the last holds all", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: bounds.length + 1, maxLength: bounds.length + 1 }), (counts) => {
      const samples = histogram({ team_id: "a" }, bounds, counts, 1);
      const buckets = samples.filter((sample) => sample.suffix === "_bucket").map((sample) => sample.value);
      expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
      expect(buckets.at(-1)).toBe(samples.at(-1)?.value);
    }),
  );
});
