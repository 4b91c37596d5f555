import { closeSync, openSync, writeSync } from "node:fs";
import { Writable } from "node:stream";
import type { Clock } from "../../../lib/env.ts";

/** Longest piece of a line in one entry. Source: conmon and containerd, 16 KiB per entry. */
const ENTRY_BYTES_MAX = 16 * 1024;
const NEWLINE = 0x0a;

/** A container's log file in the CRI's format. */
export interface ContainerLog {
  readonly stream: Writable;
  /** Calls `listener` with what is written from now on. @returns how to stop. */
  listen(listener: (data: Buffer) => void): () => void;
  /** After the file was renamed. */
  reopen(): void;
  close(): void;
}

/** Entries are "TIME stdout F text", and P instead of F for what goes on in the next entry. */
export function openContainerLog(path: string, clock: Pick<Clock, "now">): ContainerLog {
  let file: number | undefined = openSync(path, "a", 0o600);
  let rest: Buffer = Buffer.alloc(0);
  const listeners = new Set<(data: Buffer) => void>();

  const entry = (tag: "F" | "P", text: Buffer) => {
    // Nanoseconds, as the format wants them, out of a clock of milliseconds.
    const time = new Date(clock.now()).toISOString().replace("Z", "000000Z");
    if (file !== undefined)
      writeSync(file, Buffer.concat([Buffer.from(`${time} stdout ${tag} `), text, Buffer.from("\n")]));
  };
  const write = (data: Buffer) => {
    for (const listener of listeners) listener(data);
    rest = Buffer.concat([rest, data]);
    for (let end = rest.indexOf(NEWLINE); end >= 0 || rest.length > ENTRY_BYTES_MAX; end = rest.indexOf(NEWLINE)) {
      const isWhole = end >= 0 && end <= ENTRY_BYTES_MAX;
      entry(isWhole ? "F" : "P", rest.subarray(0, isWhole ? end : ENTRY_BYTES_MAX));
      rest = rest.subarray(isWhole ? end + 1 : ENTRY_BYTES_MAX);
    }
  };
  const close = () => {
    if (file === undefined) return;
    if (rest.length > 0) entry("P", rest);
    closeSync(file);
    file = undefined;
  };

  return {
    stream: new Writable({
      decodeStrings: true,
      write(data: Buffer, _encoding, done) {
        write(data);
        done();
      },
    }),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reopen() {
      if (file === undefined) return;
      closeSync(file);
      file = openSync(path, "a", 0o600);
    },
    close,
  };
}
