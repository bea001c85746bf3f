import { expect, test } from "vitest";
import { guardFinding } from "./guard-finding.rules.ts";

const here = { setting: undefined, platform: "linux", isInSession: true, isVouchedFor: true };

test("doctor says where the guard holds, and that it does not on Windows", () => {
  expect(guardFinding(here).ok).toBe(true);
  expect(guardFinding({ ...here, isInSession: false, isVouchedFor: false }).ok).toBe(true);
  expect(guardFinding({ ...here, isVouchedFor: false })).toMatchObject({ ok: false });
  expect(guardFinding({ ...here, setting: "off" })).toMatchObject({ ok: false });
  const windows = guardFinding({ ...here, platform: "win32", isInSession: false });
  expect(windows).toMatchObject({ ok: false, detail: expect.stringContaining("not supported on Windows") });
});
