/**
 * What tests may need of the machine. A test that lacks it fails; only where SKIFF_TEST_UNPRIVILEGED=1 is set it does
 * not run, and is printed as such.
 */
import { findProgram } from "./findProgram.ts";

/** What is missing, in words; undefined: nothing. */
export function lackOf(needs: { readonly root?: boolean; readonly programs?: readonly string[] }): string | undefined {
  if (needs.root && process.getuid?.() !== 0) return "needs root";
  const missing = (needs.programs ?? []).filter((program) => findProgram(program) === undefined);
  return missing.length === 0 ? undefined : `needs ${missing.join(", ")}`;
}

/** Whether tests that the machine cannot run may be left out. */
export const mayLeaveOut = (): boolean => process.env.SKIFF_TEST_UNPRIVILEGED === "1";

/**
 * For `describe.runIf` and the like.
 * @returns true: run; false: left out, which is printed.
 * @throws Error when something is missing and nothing may be left out.
 */
export function canRun(needs: Parameters<typeof lackOf>[0]): boolean {
  const lack = lackOf(needs);
  if (lack === undefined) return true;
  if (!mayLeaveOut()) throw new Error(`${lack}; SKIFF_TEST_UNPRIVILEGED=1 leaves such tests out`);
  process.stdout.write(`not run: ${lack}\n`);
  return false;
}

export const requireRoot = (): boolean => canRun({ root: true });
