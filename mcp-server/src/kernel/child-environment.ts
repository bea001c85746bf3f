/** Marks what this program has started: gates, git and its hooks run what agents have written. */
export const CHILD_MARK = "TEAMWRIGHT_CHILD";

/** Beside what a repository's own files say. */
export const PLAIN_GIT = {
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_GRAFT_FILE: process.platform === "win32" ? "NUL" : "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
};

/**
 * What a child process inherits: everything but what would point git, its hooks or a gate at another repository,
 * program or session. git reads each object as it is, with the parents that it names: one that was replaced would show
 * a reviewer another text than the one that is committed, and grafts hide commits. It asks nobody for a password.
 */
export function childEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const unwanted = /^(GIT_|.*EDITOR$|.*PAGER$|SSH_ASKPASS$|PREFIX$|CLAUDE|NODE_COMPILE_CACHE$)/;
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !unwanted.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...PLAIN_GIT, [CHILD_MARK]: "1", ...extra };
}

/** What belongs to the session, repository or script that this process was itself started from. */
const OF_OUR_OWN =
  /^(CLAUDECODE|CLAUDE_(PROJECT_DIR|ENV_FILE|PLUGIN_.*)|CLAUDE_CODE_(SESSION_ID|ENTRYPOINT|SSE_PORT|CHILD_.*|REMOTE.*)|GIT_(DIR|WORK_TREE|COMMON_DIR|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|PREFIX|CEILING_DIRECTORIES|EDITOR|SEQUENCE_EDITOR)|PREFIX|NODE_(COMPILE_CACHE|CHANNEL_.*)|TEAMWRIGHT_.*|npm_(lifecycle|package|command|execpath|node_execpath).*|INIT_CWD)$/;

/**
 * What a session of the client inherits that is started on a project of its own: all that the caller has, its way to a
 * model and its credentials too, without what would point the session at the caller's own.
 */
export function clientEnvironment(
  extra: Readonly<Record<string, string>> = {},
  own: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const kept = Object.entries(own).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !OF_OUR_OWN.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** Marks every process of a session that an experiment has started, so that what outlives it can be found. */
export const EXPERIMENT_MARK = "TEAMWRIGHT_EXPERIMENT_SESSION";
/** The team whose session it is; a session that holds a round has none. */
export const EXPERIMENT_TEAM = "TEAMWRIGHT_EXPERIMENT_TEAM";

/**
 * Set when this process belongs to a session that an experiment has started: nobody sits at it, and its lead is of one
 * team. Read anew each time; a session cannot change it for the server that its client has started.
 */
export function experimentSession(): { readonly team?: string } | undefined {
  if (!process.env[EXPERIMENT_MARK]) return undefined;
  const team = process.env[EXPERIMENT_TEAM];
  return team ? { team } : {};
}

/** Where the client keeps what is a person's own, when they have said so. */
export function namedClientFolder(): string | undefined {
  return process.env.CLAUDE_CONFIG_DIR || undefined;
}
