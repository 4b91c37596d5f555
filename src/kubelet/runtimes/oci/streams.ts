import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

/** Writes and waits while the reader is slow. @returns false when the reader has gone. */
export async function writeSlowly(target: Writable | undefined, data: Uint8Array): Promise<boolean> {
  if (target === undefined) return true;
  if (target.destroyed || target.writableEnded) return false;
  if (target.write(data)) return true;
  const left = new AbortController();
  const options = { signal: left.signal };
  await Promise.race([once(target, "drain", options), once(target, "close", options)]).catch(() => undefined);
  left.abort();
  return !target.destroyed;
}

/**
 * Moves everything from one to the other, and leaves the target open: its owner has more to say. What comes while `may`
 * says no is thrown away.
 */
export async function drainInto(
  source: Readable,
  target: Writable | undefined,
  may: () => Promise<boolean> = async () => true,
): Promise<void> {
  for await (const data of source) if (await may()) await writeSlowly(target, data);
}

/** Feeds `input` until it ends, then half-closes; a target that stops reading is not an error. */
export function feed(input: Readable | undefined, target: Writable): void {
  target.on("error", () => input?.unpipe(target));
  if (input === undefined) target.end();
  else input.pipe(target);
}
