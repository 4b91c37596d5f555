import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { RuntimeError } from "../../runtime.ts";
import { cleanMessage, START_ERROR_EXIT_CODE } from "./conmon.ts";
import { type OciContext, runtimeRoot } from "./context.ts";

/** Runs the OCI runtime. @throws RuntimeError with its own message. */
export async function runOci(context: OciContext, args: readonly string[]): Promise<void> {
  const child = spawn(context.ociRuntime, [`--root=${runtimeRoot(context)}`, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const message = text(child.stderr as Readable);
  const code = await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  if (code === 0) return;
  throw new RuntimeError("RunContainerError", cleanMessage(await message), { exitCode: START_ERROR_EXIT_CODE });
}
