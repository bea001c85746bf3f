import { expect, test } from "vitest";
import { isClient } from "./parent.ts";

test("the client is known however it was installed, and nothing else is taken for it", () => {
  const script = "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js";
  const clients: [exe: string, ...args: string[]][] = [
    ["/usr/lib/node_modules/@anthropic-ai/claude-code-linux-x64/claude", "claude"],
    ["/home/ann/.local/share/claude/versions/2.1.329", "claude", "-p"],
    ["/nix/store/0a1b-claude-code-2.1.329/bin/.claude-wrapped", "claude"],
    ["/usr/bin/node", "node", script],
    ["/usr/bin/node", "node", "/srv/node_modules/@anthropic-ai/claude-agent-sdk/cli.js"],
  ];
  for (const [exe, ...args] of clients) expect(isClient({ exe, args }), exe).toBe(true);
  const others: [exe: string, ...args: string[]][] = [
    ["/bin/sh", "claude"],
    ["/home/ann/versions/2.1.329", "claude"],
    ["/home/ann/claude/versions/2.1.329/bin/sh", "sh"],
    ["/usr/bin/claude-monitor", "claude"],
    ["/usr/bin/node", "node", "build.js", "--of", script],
  ];
  for (const [exe, ...args] of others) expect(isClient({ exe, args }), exe).toBe(false);
});
