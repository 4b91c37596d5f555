/** Lines of the CRI log format: "2026-01-01T00:00:00.000000000Z stdout F text". Source: kuberuntime/logs/logs.go. */

export interface LogLine {
  /** As it stands in the file. */
  readonly timestamp: string;
  readonly stream: "stdout" | "stderr";
  /** The text goes on in the next line of that stream. */
  readonly isPartial: boolean;
  readonly content: Buffer;
}

const SPACE = 0x20;

/** Undefined for what is no such line. @param line without its newline. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(SPACE);
  const second = first < 0 ? -1 : line.indexOf(SPACE, first + 1);
  if (second < 0) return undefined;
  const third = line.indexOf(SPACE, second + 1);
  const stream = line.toString("latin1", first + 1, second);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const tags = line.toString("latin1", second + 1, third < 0 ? line.length : third);
  return {
    timestamp: line.toString("latin1", 0, first),
    stream,
    isPartial: tags.split(":")[0] === "P",
    content: third < 0 ? Buffer.alloc(0) : line.subarray(third + 1),
  };
}

/** One line as a runtime writes it. @param atMs wall time. */
export const formatLogLine = (atMs: number, stream: "stdout" | "stderr", text: string): string =>
  `${new Date(atMs).toISOString().slice(0, 23)}000000Z ${stream} F ${text}\n`;
