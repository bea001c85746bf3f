import * as z from "zod";
import { pathGlob } from "../../config/ownership.schema.ts";

export const leasePaths = z.array(pathGlob).min(1).max(50).describe("Globs from the project's root.");

/** A path is named as the caller sees it; what lies outside the project is nobody's. */
export const filePath = z.string().min(1).max(4096);

/** Whose work is looked at, in the words of `ownership`: an agent's name, a role or `team:ID`. */
export const author = z.string().min(1).max(64).describe("Whose work it is: an agent's name, a role or team:ID.");

export const fileState = z.object({
  path: z.string(),
  /** Absent for what nobody owns. */
  owner: z.string().optional(),
  glob: z.string().optional(),
  notes: z.string().optional(),
  protected_by: z.string().optional(),
  lease: z.object({ task: z.string(), holder: z.string(), glob: z.string() }).optional(),
  outside: z.boolean().optional(),
  why: z.string(),
});
export type FileState = z.infer<typeof fileState>;

export const diffFormats = ["text", "json", "github"] as const;
const diffRules = ["protected", "out-of-scope", "leased", "owned"] as const;

const diffFinding = z.object({
  rule: z.enum(diffRules),
  level: z.enum(["error", "warning"]),
  path: z.string(),
  /** git's letter: A, M, D, T; `?` for a file git does not know yet. */
  status: z.string(),
  message: z.string(),
});
export type DiffFinding = z.infer<typeof diffFinding>;

export const diffResult = z.object({
  ok: z.boolean(),
  base: z.string(),
  author: z.string().optional(),
  task: z.string().optional(),
  changed: z.number(),
  findings: z.array(diffFinding),
  format: z.enum(diffFormats).optional(),
});
export type DiffResult = z.infer<typeof diffResult>;
