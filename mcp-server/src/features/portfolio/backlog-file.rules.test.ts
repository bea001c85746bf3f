import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TeamwrightError } from "../../kernel/errors.ts";
import { readBacklog } from "./backlog-file.rules.ts";

const teams = ["alpha", "beta"];

describe("a backlog file (PF-07)", () => {
  test("has stories with all their fields, and a product", () => {
    const { stories, product } = readBacklog(
      `product:
  vision: Everybody finds a mooring
  languages: [typescript]
  repository: {type: brownfield, url: "https://example.org/x.git"}
stories:
  - id: US-001
    title: Book a mooring
    description: By phone or page.
    priority: 1
    story_points: 5
    acceptance_criteria: [A booked place is gone for others]
    tags: [booking]
    domain: backend
    team_type_hint: stream_aligned
    sprint: 0
    scenarios: [{given: a free place, when: it is booked, then: it is gone}]
    depends_on_team: beta
    dependency_type: needs_api
    colour: blue
    metadata: {owner: harbour office}
`,
      teams,
    );
    expect(product).toMatchObject({ vision: "Everybody finds a mooring", repository: { type: "brownfield" } });
    expect(stories).toEqual([
      {
        line: 6,
        id: "US-001",
        problems: [],
        story: {
          id: "US-001",
          title: "Book a mooring",
          description: "By phone or page.",
          priority: 1,
          story_points: 5,
          acceptance_criteria: ["A booked place is gone for others"],
          tags: ["booking"],
          domain: "backend",
          team_type_hint: "stream_aligned",
          sprint: 0,
          // biome-ignore lint/suspicious/noThenProperty: the format's own word
          scenarios: [{ given: "a free place", when: "it is booked", then: "it is gone" }],
          depends_on_team: "beta",
          dependency_type: "needs_api",
          metadata: { colour: "blue", owner: "harbour office" },
        },
      },
    ]);
  });

  test("may be JSON, a plain list, short, and give the need among the metadata as cards do (DE-01)", () => {
    const json = JSON.stringify([
      { id: 7, title: "A", points: 3, acceptance: "it works", labels: "x, y", metadata: { depends_on_team: "alpha" } },
    ]);
    const { stories } = readBacklog(json, teams);
    expect(stories[0]?.story).toMatchObject({
      id: "7",
      story_points: 3,
      acceptance_criteria: ["it works"],
      tags: ["x", "y"],
      depends_on_team: "alpha",
      priority: 999,
      metadata: {},
    });
  });

  test("a bad story says why and where, and takes no other with it", () => {
    const { stories } = readBacklog(
      `- {id: a, title: First}
- {title: Without an id}
- just words
- {id: "b c", title: Blank}
- {id: d, title: Second, story_points: many, team_type_hint: platfrom, depends_on_team: alpa}
- {id: a, title: First again}
- {id: e, title: Third}
- {id: f, title: Fourth, domain: "a\\0b"}
`,
      teams,
    );
    expect(stories.filter((each) => each.story).map(({ id }) => id)).toEqual(["a", "e"]);
    expect(stories.filter((each) => !each.story).map(({ line, id, problems }) => [line, id, problems])).toEqual([
      [2, undefined, [expect.stringMatching(/^id: /)]],
      [3, undefined, ["a story has at least id and title"]],
      [4, "b c", [expect.stringMatching(/^id: use/)]],
      [
        5,
        "d",
        [
          expect.stringMatching(/^story_points: /),
          expect.stringMatching(/^team_type_hint: /),
          "depends_on_team: there is no team alpa; did you mean alpha?",
        ],
      ],
      [6, "a", ["id: the story of line 1 has it"]],
      [8, "f", ["domain: must not contain NUL characters or unpaired surrogates"]],
    ]);
  });

  test("what is no backlog is refused with its place", () => {
    const message = (text: string) => {
      try {
        readBacklog(text, teams);
        return "read";
      } catch (error) {
        return error instanceof TeamwrightError ? error.message : String(error);
      }
    };
    expect(message("stories: [\n")).toMatch(/^The backlog cannot be read: line 2:1, /);
    expect(message("storys: []")).toBe(
      "A backlog is a list of stories, or has one under stories; did you mean stories by storys?",
    );
    expect(message("stories: 5")).toBe("What stands under stories is no list of them.");
    expect(message("42")).toMatch(/^A backlog is a list of stories/);
    expect(message("")).toMatch(/^A backlog is a list of stories/);
    expect(message("- *nowhere")).toMatch(/^The backlog cannot be read/);
    expect(message("stories: []")).toBe("read");
  });

  test("any text is read or refused in a sentence", () => {
    const words = fc.constantFrom(
      "- ",
      "id",
      ": ",
      "title",
      "\n",
      "{",
      "}",
      "[",
      "]",
      "a",
      "1",
      "&x ",
      "*x",
      "<<",
      "? ",
      "__proto__",
      "'",
      "stories",
      "  ",
      "null",
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 30 }), (parts) => {
        try {
          for (const each of readBacklog(parts.join(""), teams).stories)
            expect(each.story === undefined).toBe(each.problems.length > 0);
        } catch (error) {
          expect(error).toBeInstanceOf(TeamwrightError);
        }
      }),
    );
  });
});
