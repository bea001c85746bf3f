import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { childEnvironment } from "./child-environment.ts";
import { commonFolder } from "./git-heads.ts";

/** The client waits ten seconds for a hook. */
const TIMEOUT_MS = 4000;
const run = promisify(execFile);

/** A `git push` of one branch to one remote, as its words say. */
export interface PlainPush {
  /** Absent: the one git takes by itself. */
  readonly remote?: string | undefined;
  /** "HEAD" for the one that is checked out where the command runs. */
  readonly branch: string;
  readonly withoutTags: boolean;
}

/**
 * The commit that a plain push sends from `folder`; undefined where there is no such branch, or the folder is not of the
 * repository of `root`: a shell stays where an earlier command went, and each working tree has a HEAD of its own.
 */
export async function pushedTip(root: string, folder: string, { branch }: PlainPush): Promise<string | undefined> {
  const common = commonFolder(root);
  if (common === undefined) return undefined;
  const name = branch === "HEAD" ? "HEAD" : `refs/heads/${branch}`;
  try {
    const found = await git(folder, ["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    if (realpathSync(found.trim()) !== realpathSync(common)) return undefined;
    return (await git(folder, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`])).trim();
  } catch {
    return undefined;
  }
}

/**
 * The setting by which a push would send more than its words say, or to another name, as `key=value`; undefined where
 * none does. Settings are nobody's secret: whoever has a shell can write them.
 */
export async function wideningSetting(folder: string, push: PlainPush): Promise<string | undefined> {
  const listed = (await git(folder, ["config", "--list", "-z"])).split("\0").flatMap((entry): [string, string][] => {
    const [key = "", ...value] = entry.split("\n");
    return key === "" ? [] : [[key, value.join("\n")]];
  });
  const settings = new Map(listed);
  const top = (await git(folder, ["rev-parse", "--show-toplevel"])).trim();
  const isOn = (value: string) => !/^(false|no|off|0)$/i.test(value);
  const isWider = ([key, value]: [string, string]): boolean => {
    if (/^remote\..*\.push$/s.test(key)) return true;
    if (/^remote\..*\.mirror$/s.test(key)) return isOn(value);
    if (key === "push.followtags") return isOn(value) && !push.withoutTags;
    if (key === "push.recursesubmodules") return /^(on-demand|only)$/i.test(value);
    if (key === "submodule.recurse") return isOn(value) && existsSync(join(top, ".gitmodules"));
    return key === "push.default" && value === "matching";
  };
  const wider = [...settings].find(isWider);
  if (wider) return wider.join("=");
  if (push.remote !== undefined && !listed.some(([key]) => key.startsWith(`remote.${push.remote}.`)))
    return `remote.${push.remote} is not set`;
  return /^(upstream|tracking)$/.test(settings.get("push.default") ?? "")
    ? renaming(folder, push, settings)
    : undefined;
}

/** A branch whose upstream has another name: by `push.default=upstream` that is what it goes to. */
async function renaming(folder: string, { branch }: PlainPush, settings: ReadonlyMap<string, string>) {
  const own = branch === "HEAD" ? (await git(folder, ["rev-parse", "--abbrev-ref", "HEAD"])).trim() : branch;
  const key = `branch.${own}.merge`;
  const value = settings.get(key);
  return value === undefined || value === `refs/heads/${own}` ? undefined : `${key}=${value}`;
}

async function git(cwd: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run("git", [...args], { cwd, env: childEnvironment(), timeout: TIMEOUT_MS });
  return stdout;
}
