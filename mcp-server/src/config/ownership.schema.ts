import * as z from "zod";

const ownershipModes = ["strict", "warn", "off"] as const;
export type OwnershipMode = (typeof ownershipModes)[number];

/** Why a text is no glob of the project's paths, or undefined. The pieces that count are `*`, `**`, `?`, `[ab]`, `{a,b}`. */
function globProblem(glob: string): string | undefined {
  if (glob.includes("\\")) return "must separate folders by / and has no escapes";
  if (glob.startsWith("!")) return "cannot be a negation";
  if (/^(\/|[A-Za-z]:|~)/.test(glob)) return "must be relative to the project's root";
  if (glob.split("/").includes("..")) return "must not climb out with ..";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return /[\u0000-\u001f]/.test(glob) || !glob.isWellFormed() ? "must not contain control characters" : undefined;
}

/** A glob relative to the project's root; a file or folder without wildcards stands for itself and all below it. */
export const pathGlob = z
  .string()
  .min(1)
  .max(500)
  .superRefine((glob, ctx) => {
    const problem = globProblem(glob);
    if (problem !== undefined) ctx.addIssue({ code: "custom", message: problem });
  })
  .meta({ pattern: String.raw`^(?![!/~]|[A-Za-z]:)(?!(?:.*/)?\.\.(?:/|$))[^\\\u0000-\u001f]*$` }); // the same, for editors

/** Who may write which files (requirements FO-01, FO-06; C-13, C-20: nothing is assumed about any language). */
export const ownership = z
  .array(
    z.strictObject({
      paths: z
        .array(pathGlob)
        .min(1)
        .describe("Globs from the project's root: `*`, `**`, `?`, `[ab]`, `{a,b}`; a folder stands for all in it."),
      owner: z
        .string()
        .regex(
          /^(\*|team:[a-z0-9][a-z0-9_-]{0,31}|[^\s:*,]{1,64})$/u,
          "use the name of an agent, a role, team:ID, or * for everybody",
        )
        .describe("An agent's name, a role, `team:ID`, `lead`, or `*` for everybody."),
      notes: z.string().max(500).optional().describe("Told to whoever is refused."),
    }),
  )
  .default([])
  .describe(
    "Who may write which files. The most specific glob decides: more segments without wildcards, then more characters, then the later one. What no glob matches is free; `**` gives the rest to somebody.",
  );

export const protectedPaths = z
  .array(pathGlob)
  .default([])
  .describe(
    "Only people change these, beside teamwright.yaml, .teamwright, .git and .env files (.env.example is free).",
  );

export const ownershipMode = z
  .enum(ownershipModes)
  .optional()
  .describe(
    "How ownership and file leases bind agents: strict refuses, warn lets them write and tells them. strict where `ownership` or `protected` is set and inside a run, else off. Protected paths are refused in each of them.",
  );

export const leadEdits = z
  .enum(["anywhere", "owned"])
  .default("anywhere")
  .describe("owned: inside a run the lead, too, writes only what `ownership` and leases leave to it.");

export type OwnershipEntry = z.infer<typeof ownership>[number];
