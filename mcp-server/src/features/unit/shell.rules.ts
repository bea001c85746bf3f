import type { PlainPush } from "../../kernel/git-push.ts";

/** Tools of the client that run a command. */
export const SHELLS = /^(Bash|PowerShell|Monitor)$/;

/** git's words that write history or throw work away. */
const writing = new Set(
  "commit push merge rebase cherry-pick revert am apply pull reset fast-import read-tree filter-repo stash clean switch checkout restore update-ref commit-tree filter-branch replace update-index worktree".split(
    " ",
  ),
);
/** Options of git itself that take a value in a word of its own. */
const valued = new Set([
  "-C",
  "-c",
  "--git-dir",
  "--work-tree",
  "--namespace",
  "--exec-path",
  "--super-prefix",
  "--config-env",
]);

/** The git word of a shell command that would write history; undefined for reading. Quotes do not hide it. */
export function historyCommand(command: string): string | undefined {
  const bare = command.replace(/\\\n/g, " ").replace(/['"\\]/g, "");
  for (const part of bare.split(/[;|&()<>`\n{}]+|\$\(/)) {
    const words = part.split(/\s+/).filter((word) => word !== "");
    for (const [index, word] of words.entries()) {
      if (word !== "git" && !word.endsWith("/git")) continue;
      if (words.slice(index + 1).some((each) => /^alias\./.test(each))) return "alias"; // another name for any of them
      const found = subcommand(words.slice(index + 1));
      if (found !== undefined && writing.has(found) && !isHarmless(found, words.slice(index + 1))) return found;
    }
  }
  return undefined;
}

/**
 * A plain `git push` of one branch, when the command is that and nothing else. Undefined for anything that forces,
 * deletes, renames or sends more, and for a second line.
 */
export function plainPush(command: string): PlainPush | undefined {
  const [first, second, ...words] = command.trim().split(/[ \t]+/);
  if (first !== "git" || second !== "push") return undefined;
  const options = words.filter((word) => word.startsWith("-"));
  const [remote, branch = "HEAD", ...more] = words.filter((word) => !word.startsWith("-"));
  if (more.length > 0 || options.some((word) => !/^(-u|--set-upstream|--no-follow-tags)$/.test(word))) return undefined;
  if (remote !== undefined && !/^\w[\w.-]*$/.test(remote)) return undefined;
  if (!/^\w[\w./-]*$/.test(branch)) return undefined;
  return { remote, branch, withoutTags: options.includes("--no-follow-tags") };
}

/** Tools of servers for GitHub and GitLab that merge a request. */
export const MERGING_TOOLS = /^mcp__.*merge_?(pull|merge)_?request|^mcp__.*accept_?merge_?request/i;

/** True when a shell command merges a pull request by gh, glab or hub, or switches on that it merges itself. */
export function mergesRequest(command: string): boolean {
  const bare = command.replace(/\\\n/g, " ").replace(/['"\\]/g, "");
  if (/\b(gh|glab|hub)\s/.test(bare) && /mergePullRequest|AutoMerge/i.test(bare)) return true;
  return bare.split(/[;|&()<>`\n{}]+|\$\(/).some((part) => {
    const words = part.split(/\s+/).filter((word) => word !== "");
    const at = words.findIndex((word) => /^(.*\/)?(gh|glab|hub|curl|wget)$/.test(word));
    const rest = at < 0 ? [] : words.slice(at + 1);
    if (rest.some((word) => /\/(pulls|merge_requests)\/[^/]+\/merge\b|\/merges\b/.test(word))) return true;
    const isValue = (index: number) => /^(-R|--repo)$/.test(rest[index - 1] ?? "");
    const [noun, verb] = rest.filter((word, index) => !word.startsWith("-") && !isValue(index));
    return (noun === "pr" || noun === "mr") && (verb === "merge" || verb === "accept");
  });
}

function subcommand(words: readonly string[]): string | undefined {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (valued.has(word)) index += 1;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}

/** `git worktree list`, `git stash list`, `git apply --check` look only. */
function isHarmless(word: string, words: readonly string[]): boolean {
  const rest = words.slice(words.indexOf(word) + 1);
  if (word === "worktree" || word === "stash") return rest[0] === "list" || rest[0] === "show";
  if (word === "apply") return rest.includes("--check") || rest.includes("--stat");
  return false;
}
