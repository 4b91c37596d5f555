/** How to start `skiff` again as another process: the bundle that runs now, or the source. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Small heaps: a control plane or an agent is not a build. Semi-space: less garbage survives a burst of requests. */
const NODE_OPTIONS = ["--max-semi-space-size=8"];

export function skiffArguments(): string[] {
  const source = join(import.meta.dirname, "main.ts");
  const entry = existsSync(source) ? source : join(import.meta.dirname, "skiff.js");
  return [...NODE_OPTIONS, entry];
}
