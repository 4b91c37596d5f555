import type { Duplex } from "node:stream";

/**
 * Makes one connection of two: bytes and half-closes pass both ways. When one side has closed, what it said last still
 * goes out before the other is closed; when it was broken off, the other is broken off as well.
 */
export function joinStreams(a: Duplex, b: Duplex): void {
  pass(a, b);
  pass(b, a);
  if (a.destroyed) b.destroy();
  if (b.destroyed) a.destroy();
}

function pass(one: Duplex, other: Duplex): void {
  one.on("error", () => other.destroy());
  one.on("close", () => {
    if (!one.readableEnded) {
      other.destroy();
      return;
    }
    // Nobody hears any more what it says; unread it would never end.
    other.resume();
    other.end(() => other.destroy());
  });
  one.pipe(other);
}
