/** Marks what this program has started: gates, git and its hooks run what agents have written. */
export const CHILD_MARK = "TEAMWRIGHT_CHILD";

/**
 * What a child process inherits: everything but what would point git, its hooks or a gate at another repository,
 * program or session. git reads each object as it is: one that was replaced would show a reviewer another text than the
 * one that is committed.
 */
export function childEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const unwanted = /^(GIT_|.*EDITOR$|.*PAGER$|SSH_ASKPASS$|PREFIX$|CLAUDE|NODE_COMPILE_CACHE$)/;
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !unwanted.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), GIT_NO_REPLACE_OBJECTS: "1", [CHILD_MARK]: "1", ...extra };
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

/** A variable of this process's environment that only we set. */
export function ownMark(name: `TEAMWRIGHT_${string}`): string | undefined {
  return process.env[name];
}

/** Where the client keeps what is a person's own, when they have said so. */
export function namedClientFolder(): string | undefined {
  return process.env.CLAUDE_CONFIG_DIR || undefined;
}
