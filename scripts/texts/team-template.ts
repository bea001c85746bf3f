import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { modelNames } from "../../mcp-server/src/config/models.schema.ts";
import { verdicts } from "../../mcp-server/src/features/unit/plan.rules.ts";
import { listOf, type Problem, partsOf } from "./shipped-text.ts";

const word = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/);
const line = z.string().min(10).max(200);

/** Front matter of a team template: what a program can use of it (requirements TC-11, CS-03, TP-01 to TP-07). */
const teamTemplate = z.strictObject({
  name: word,
  when: line,
  mode: z.strictObject({ verdicts: z.array(z.enum(verdicts)).min(1), run: z.enum(["team", "task", "either"]) }),
  members: z
    .array(
      z.strictObject({
        name: word,
        agent: word,
        count: z.union([z.number().int().min(1).max(5), z.string().regex(/^[1-5]-[1-5]$/)]),
        model: z.enum([...modelNames, "by score", "session"]),
      }),
    )
    .min(2),
  ownership: z.array(z.strictObject({ member: word, writes: z.enum(["none", "its scope", "tests"]) })).min(1),
  done: z.array(line).min(2),
});
export type TeamTemplate = z.infer<typeof teamTemplate>;

const templateSections = [
  "Purpose",
  "When to use",
  "Mode",
  "Members",
  "Execution pattern",
  "File ownership",
  "Communication",
  "Done conditions",
  "Constraints",
  "What worked",
  "What didn't work",
];
const layers = ["Structured outputs", "Shared message log", "Lead's routing"];
/** requirements C-04: teammates besides whoever leads. */
const MOST = 5;

export interface ReadTemplate {
  readonly path: string;
  readonly template?: TeamTemplate;
  readonly problems: readonly Problem[];
}

/** Every template below a root, with what is wrong with it. */
export function readTemplates(root: string): ReadTemplate[] {
  return readdirSync(join(root, "team-registry/teams"))
    .sort()
    .map((file) => {
      const path = `team-registry/teams/${file}`;
      return readTemplate(root, path, readFileSync(join(root, path), "utf8"));
    });
}

export function readTemplate(root: string, path: string, text: string): ReadTemplate {
  const say = (rule: string, message: string): Problem => ({ path, rule, message });
  const parts = partsOf(text);
  if (typeof parts === "string") return { path, problems: [say("front-matter", parts)] };
  const read = teamTemplate.safeParse(parts.fields);
  if (!read.success)
    return {
      path,
      problems: read.error.issues.map((issue) => say("field", `${issue.path.join(".")}: ${issue.message}`)),
    };
  const template = read.data;
  return {
    path,
    template,
    problems: [...memberProblems(root, template), ...bodyProblems(template, parts.body)]
      .map((text) => say("template", text))
      .concat(path.endsWith(`/${template.name}.md`) ? [] : [say("name", `is called ${template.name}`)]),
  };
}

/** The least and the most of a member. */
export function countOf(count: TeamTemplate["members"][number]["count"]): readonly [number, number] {
  if (typeof count === "number") return [count, count];
  const [least, most] = count.split("-").map(Number);
  return [least ?? 1, most ?? 1];
}

function* memberProblems(root: string, { members, ownership }: TeamTemplate): Generator<string> {
  const [lead, ...others] = members;
  if (lead?.model !== "session" || lead.agent !== "orchestrator") yield "the first member leads: orchestrator, session";
  const most = others.reduce((sum, { count }) => sum + countOf(count)[1], 0);
  const least = others.reduce((sum, { count }) => sum + countOf(count)[0], 0);
  if (most > MOST || least < 2) yield `has ${least} to ${most} members besides the lead, not 2 to ${MOST}`;
  for (const { name, agent } of members) {
    const file = join(root, "agents", `${agent}.md`);
    if (!existsSync(file)) {
      yield `${name} is a ${agent}, which is no role`;
      continue;
    }
    const writes = ownership.filter(({ member }) => member === name);
    if (writes.length !== 1) yield `${name} stands ${writes.length} times in the ownership`;
    if (writes[0]?.writes === "none" && canEdit(readFileSync(file, "utf8")))
      yield `${name} owns nothing, but a ${agent} may edit`;
    if (writes[0]?.writes !== "none" && !canEdit(readFileSync(file, "utf8")))
      yield `${name} owns files, but a ${agent} cannot edit`;
  }
  for (const { member } of ownership)
    if (!members.some(({ name }) => name === member)) yield `${member} owns files and is no member`;
}

/** Whether a role has the client's tools for changing files. */
function canEdit(text: string): boolean {
  const parts = partsOf(text);
  if (typeof parts === "string") return true;
  const { tools, disallowedTools } = parts.fields;
  return tools === undefined ? !listOf(disallowedTools).includes("Edit") : listOf(tools).includes("Edit");
}

function* bodyProblems({ members, done }: TeamTemplate, body: string): Generator<string> {
  const heads = [...body.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? "");
  if (heads.join() !== templateSections.join()) yield `has the sections ${heads.join(", ")}`;
  const of = (name: string) => body.split(`\n## ${name}\n`)[1]?.split("\n## ")[0]?.trim() ?? "";
  for (const name of heads) if (of(name) === "") yield `says nothing under ${name}`;
  const rows = of("Members")
    .split("\n")
    .filter((row) => row.startsWith("| "))
    .slice(1);
  for (const { name, agent, model } of members) {
    const row = rows.find((one) => one.startsWith(`| ${name} `));
    if (!row?.includes(`\`agents/${agent}.md\``) || !row.includes(`| ${model} |`))
      yield `its table does not show ${name} as in the front matter`;
  }
  if (rows.length !== members.length) yield "its table has other members than the front matter";
  for (const condition of done) if (!of("Done conditions").includes(condition)) yield `does not list: ${condition}`;
  for (const layer of layers)
    if (!of("Communication").includes(`| ${layer} |`)) yield `does not say how it uses: ${layer}`;
}
