import { constants } from "node:os";

/** First real-time signal that programs may use; libc keeps two. Source: signal(7). */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** Number of an image's stop signal: "SIGQUIT", "QUIT", "3", "SIGRTMIN+3". SIGTERM when it means nothing. */
export function signalNumber(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const upper = name.toUpperCase();
  const full = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  const realTime = /^SIGRTM(IN|AX)(?:([+-])(\d+))?$/.exec(full);
  if (realTime !== null) {
    const offset = Number(`${realTime[2] ?? "+"}${realTime[3] ?? 0}`);
    return (realTime[1] === "IN" ? SIGRTMIN : SIGRTMAX) + offset;
  }
  return constants.signals[full as NodeJS.Signals] ?? constants.signals.SIGTERM;
}
