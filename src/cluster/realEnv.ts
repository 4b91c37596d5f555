/** The real clock, real randomness and a real log: made here, once per process, and handed down. */
import { randomFillSync } from "node:crypto";
import { performance } from "node:perf_hooks";
import pino from "pino";
import type { Clock, Env, Log } from "../lib/env.ts";
import { randomFrom } from "../lib/random.ts";

/** Node's timers overflow beyond this many milliseconds (2³¹ − 1) and would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), TIMER_MS_MAX));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
        Math.min(delayMs, TIMER_MS_MAX),
      );
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};

const RANDOM_WORDS = 1024;
const words = new Uint32Array(RANDOM_WORDS);
let wordsUsed = RANDOM_WORDS;

/** Cryptographically strong, drawn in blocks. */
export const realRandom = randomFrom(() => {
  if (wordsUsed === RANDOM_WORDS) {
    randomFillSync(words);
    wordsUsed = 0;
  }
  return words[wordsUsed++] as number;
});

const wrap = (logger: pino.Logger): Log => ({
  debug: (message, fields) => logger.debug(fields ?? {}, message),
  info: (message, fields) => logger.info(fields ?? {}, message),
  warn: (message, fields) => logger.warn(fields ?? {}, message),
  error: (message, fields) => logger.error(fields ?? {}, message),
  child: (fields) => wrap(logger.child(fields)),
});

/** What takes whole lines. */
export interface LineWriter {
  write(line: string): unknown;
}

/** Lines that wait while they cannot be written, in characters; further ones are dropped. */
const WAITING_LENGTH_MAX = 2 ** 20;

/** That a log cannot be written, as its disk is full, is nobody's fault who logs. */
function descriptorWriter(fd: number): LineWriter {
  const writer = pino.destination({ fd, sync: true, maxLength: WAITING_LENGTH_MAX });
  writer.on("error", () => undefined);
  return writer;
}

const lenient = (writer: LineWriter): LineWriter => ({
  write: (line) => {
    try {
      writer.write(line);
    } catch {
      // As above.
    }
  },
});

/** One JSON line per entry to `destination`, or to that descriptor. `SKIFF_LOG_LEVEL` chooses the level; default info. */
export function createLog(destination: number | LineWriter): Log {
  const asked = process.env.SKIFF_LOG_LEVEL ?? "";
  const level = asked in pino.levels.values ? asked : "info";
  return wrap(
    pino(
      { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: pino.stdSerializers.err } },
      typeof destination === "number" ? descriptorWriter(destination) : lenient(destination),
    ),
  );
}

export const createRealEnv = (log: Log): Env => ({ clock: realClock, random: realRandom, log });
