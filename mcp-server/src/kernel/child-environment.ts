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
  return { ...Object.fromEntries(kept), GIT_NO_REPLACE_OBJECTS: "1", ...extra };
}
