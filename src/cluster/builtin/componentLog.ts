/** The log of one component of the control plane: a file, which whoever runs the component's container follows. */
import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import type { Log } from "../../lib/env.ts";
import { createLog } from "../realEnv.ts";

/** Then the file begins anew, and the one before is kept. Source: kubelet containerLogMaxSize, 10Mi. */
const FILE_BYTES_MAX = 10 * 2 ** 20;

export interface LogReader {
  write(text: Buffer | string): unknown;
  /** The component has ended; nothing more comes. */
  end(): unknown;
}

export interface ComponentLog {
  readonly log: Log;
  /** The component begins to run, and its log with it. */
  begin(): void;
  end(): void;
  /** Hands over what it has logged since it began, and then goes on. False: it does not run. */
  follow(reader: LogReader): boolean;
  unfollow(reader: LogReader): void;
}

/** @param path "….log"; the file before is "….old.log". */
export function openComponentLog(path: string, fileBytesMax = FILE_BYTES_MAX): ComponentLog {
  let file = openSync(path, "a+", 0o600);
  let size = fstatSync(file).size;
  let beganAt = size;
  let isRunning = false;
  const readers = new Set<LogReader>();
  const write = (line: string): void => {
    const bytes = Buffer.from(line);
    if (size > 0 && size + bytes.length > fileBytesMax) {
      closeSync(file);
      if (existsSync(path)) renameSync(path, path.replace(/\.log$/, ".old.log"));
      file = openSync(path, "a+", 0o600);
      size = 0;
      beganAt = 0;
    }
    writeSync(file, bytes);
    size += bytes.length;
    for (const reader of readers) reader.write(bytes);
  };
  return {
    log: createLog({ write }),
    begin() {
      isRunning = true;
      beganAt = size;
    },
    end() {
      isRunning = false;
      for (const reader of readers) reader.end();
      readers.clear();
    },
    follow(reader) {
      if (!isRunning) return false;
      const sinceBegin = Buffer.alloc(size - beganAt);
      readSync(file, sinceBegin, 0, sinceBegin.length, beganAt);
      reader.write(sinceBegin);
      readers.add(reader);
      return true;
    },
    unfollow: (reader) => void readers.delete(reader),
  };
}
