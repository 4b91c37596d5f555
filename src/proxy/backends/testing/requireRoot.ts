import { execFileSync } from "node:child_process";
import { describe, it } from "vitest";

/**
 * Like `describe`, for tests that make network namespaces. On a machine that cannot they fail, unless
 * SKIFF_TEST_UNPRIVILEGED=1 says that this is known; then they are printed as not run.
 */
export function describeWithRoot(name: string, tests: () => void): void {
  const missing = missingCapability();
  if (missing === undefined) describe(name, tests);
  else if (process.env.SKIFF_TEST_UNPRIVILEGED === "1") describe.skip(`${name} (not run: ${missing})`, tests);
  else
    describe(name, () => {
      it("can be run on this machine", () => {
        throw new Error(`${missing}; set SKIFF_TEST_UNPRIVILEGED=1 to leave these tests out`);
      });
    });
}

function missingCapability(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  for (const tool of ["ip", "nft", "conntrack", "nsenter", "unshare"]) {
    try {
      execFileSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" });
    } catch {
      return `needs the program ${tool}`;
    }
  }
  return undefined;
}
