/**
 * Reads the log of a container as `kubectl logs` wants it: from its end backwards for `tailLines`, on and on for
 * `follow`, past a rotation, until the container has ended. Source: kuberuntime/logs/logs.go ReadLogs.
 */
import type { Clock } from "../../lib/env.ts";
import type { Files } from "../files.ts";
import { parseLogLine } from "./logLines.ts";

export interface LogOptions {
  readonly follow?: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  /** RFC 3339 */
  readonly sinceTime?: string;
  readonly timestamps?: boolean;
  readonly limitBytes?: number;
  /** "All" where not given. */
  readonly stream?: "All" | "Stdout" | "Stderr";
}

export interface LogSource {
  readonly clock: Clock;
  readonly files: Files;
  readonly path: string;
  /** Nothing more will be written. */
  readonly isOver: () => boolean;
  /** Calls back when that may have changed. @returns how to stop. */
  readonly onChange: (changed: () => void) => () => void;
  readonly signal?: AbortSignal;
}

const CHUNK_BYTES = 64 * 1024;
/** A look is due after this even without a sign of change, in case one was missed. */
const LOOK_AGAIN_MS = 5000;
const NEWLINE = 0x0a;

/** Where the last `lines` lines begin. */
async function tailStart(files: Files, path: string, lines: number): Promise<number> {
  let end = (await files.stat(path))?.sizeBytes ?? 0;
  if (lines === 0) return end;
  let found = -1;
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const chunk = (await files.readAt(path, start, end - start)) ?? new Uint8Array();
    for (let index = chunk.length - 1; index >= 0; index -= 1) {
      // The newline that ends the last line counts as none.
      if (chunk[index] === NEWLINE && ++found === lines) return start + index + 1;
    }
    end = start;
  }
  return 0;
}

const sinceMsOf = ({ sinceSeconds, sinceTime }: LogOptions, nowMs: number): number => {
  if (sinceTime !== undefined && sinceTime !== "") return Date.parse(sinceTime);
  return sinceSeconds === undefined ? Number.NEGATIVE_INFINITY : nowMs - sinceSeconds * 1000;
};

/** conmon writes UTC as an offset of nothing. Source: logs.go, timeFormatOut "…Z07:00". */
const shownTimestamp = (timestamp: string): string => timestamp.replace(/[+-]00:00$/, "Z");

/** Turns lines of the file into what is shown. */
function formatter(options: LogOptions, nowMs: number): (line: Buffer) => Buffer | undefined {
  const sinceMs = sinceMsOf(options, nowMs);
  const wanted = options.stream === undefined || options.stream === "All" ? undefined : options.stream.toLowerCase();
  let isContinued = false;
  return (line) => {
    const parsed = parseLogLine(line);
    if (parsed === undefined) return undefined;
    const { timestamp, stream, isPartial, content } = parsed;
    const begins = !isContinued;
    isContinued = isPartial;
    if (wanted !== undefined && stream !== wanted) return undefined;
    if (sinceMs > Number.NEGATIVE_INFINITY && Date.parse(timestamp) < sinceMs) return undefined;
    const prefix = options.timestamps === true && begins ? [Buffer.from(`${shownTimestamp(timestamp)} `)] : [];
    return Buffer.concat([...prefix, content, ...(isPartial ? [] : [Buffer.from([NEWLINE])])]);
  };
}

/** Wakes when the file changes, the container ends, or the reader goes. */
function watchChanges({ files, path, onChange, signal, clock }: LogSource) {
  let wake = () => {};
  let hasChanged = false;
  const changed = () => {
    hasChanged = true;
    wake();
  };
  const stops = [files.watch(path, changed), onChange(changed)];
  signal?.addEventListener("abort", changed, { once: true });
  return {
    async next(): Promise<void> {
      if (!hasChanged) {
        const timer = clock.setTimer(LOOK_AGAIN_MS, changed);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        timer.cancel();
      }
      hasChanged = false;
    },
    stop() {
      for (const stop of stops) stop();
      signal?.removeEventListener("abort", changed);
    },
  };
}

/** The file that was at `path` when it had this inode: still there, or renamed by a rotation. */
async function pathOfInode(files: Files, path: string, inode: number): Promise<string | undefined> {
  if ((await files.stat(path))?.inode === inode) return path;
  for (const rotated of await rotatedPaths(files, path)) {
    if ((await files.stat(rotated))?.inode === inode) return rotated;
  }
  return undefined;
}

/** The oldest first. */
async function rotatedPaths(files: Files, path: string): Promise<readonly string[]> {
  const slash = path.lastIndexOf("/");
  const [folder, name] = [path.slice(0, slash), path.slice(slash + 1)];
  return (await files.list(folder)).filter((file) => file.startsWith(`${name}.`)).map((file) => `${folder}/${file}`);
}

/** The file that followed `at`, which has been rotated away, or is gone: where there were several rotations, not `path`. */
async function pathAfter(files: Files, path: string, at: string | undefined): Promise<string> {
  return (at !== undefined && (await rotatedPaths(files, path)).find((rotated) => rotated > at)) || path;
}

/** Whole lines, as they come; undefined means that there are none at the moment. */
async function* rawLines(source: LogSource, start: number): AsyncGenerator<Buffer | undefined> {
  const { files, path } = source;
  let inode = (await files.stat(path))?.inode;
  let offset = start;
  let rest: Buffer = Buffer.alloc(0);
  let isReplaced = false;
  for (;;) {
    const at = inode === undefined ? path : await pathOfInode(files, path, inode);
    const chunk = at === undefined ? undefined : await files.readAt(at, offset, CHUNK_BYTES);
    if (chunk !== undefined && chunk.length > 0) {
      offset += chunk.length;
      rest = Buffer.concat([rest, chunk]);
      let begin = 0;
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, begin)) {
        yield rest.subarray(begin, end);
        begin = end + 1;
      }
      rest = rest.subarray(begin);
      continue;
    }
    const now = await files.stat(path);
    if (now === undefined || now.inode === inode) {
      yield undefined;
      continue;
    }
    // Only now is it certain that nothing more will be written to it; something may have been since it was read.
    if (inode === undefined || isReplaced) {
      inode = (await files.stat(await pathAfter(files, path, at)))?.inode;
      offset = 0;
      isReplaced = false;
    } else isReplaced = true;
  }
}

export async function* readLog(source: LogSource, options: LogOptions): AsyncGenerator<Uint8Array> {
  const { files, path, clock, signal } = source;
  const format = formatter(options, clock.now());
  const start = options.tailLines === undefined ? 0 : await tailStart(files, path, options.tailLines);
  const changes = options.follow === true ? watchChanges(source) : undefined;
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let batch: Buffer[] = [];
  let wasOver = false;
  try {
    for await (const line of rawLines(source, start)) {
      if (signal?.aborted === true) return;
      if (line !== undefined) {
        const text = format(line)?.subarray(0, left);
        if (text === undefined) continue;
        left -= text.length;
        batch.push(text);
        if (left > 0 && batch.length < 256) continue;
      }
      if (batch.length > 0) yield Buffer.concat(batch);
      batch = [];
      if (left <= 0) return;
      if (line !== undefined) continue;
      if (changes === undefined || wasOver) return;
      // Once more after the end, for what was written last.
      wasOver = source.isOver();
      if (!wasOver) await changes.next();
    }
  } finally {
    changes?.stop();
  }
}
