import { expect, test } from "vitest";
import { VirtualClock } from "../../lib/virtualClock.ts";
import { createMemoryFiles } from "../volumes/memoryFiles.ts";
import { formatLogLine, parseLogLine } from "./logLines.ts";
import { type LogOptions, readLog } from "./readLog.ts";

const PATH = "/logs/0.log";
const START = Date.UTC(2026, 0, 1);

function setUp() {
  const clock = new VirtualClock(START);
  const files = createMemoryFiles();
  let isOver = false;
  const listeners = new Set<() => void>();
  const source = {
    clock,
    files,
    path: PATH,
    isOver: () => isOver,
    onChange: (changed: () => void) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
  const end = () => {
    isOver = true;
    for (const listener of listeners) listener();
  };
  const read = async (options: LogOptions = {}) => {
    let text = "";
    for await (const chunk of readLog(source, options)) text += Buffer.from(chunk).toString();
    return text;
  };
  const write = (text: string, stream: "stdout" | "stderr" = "stdout", atMs = clock.now()) =>
    files.append(PATH, formatLogLine(atMs, stream, text));
  return { clock, files, source, read, write, end, listeners };
}

test("a line of the log is taken apart", () => {
  const line = parseLogLine(Buffer.from("2026-01-01T00:00:00.000000000Z stderr P some text"));
  expect(line).toMatchObject({ timestamp: "2026-01-01T00:00:00.000000000Z", stream: "stderr", isPartial: true });
  expect(`${line?.content}`).toBe("some text");
  expect(`${parseLogLine(Buffer.from("t stdout F "))?.content}`).toBe("");
  expect(parseLogLine(Buffer.from("nonsense"))).toBeUndefined();
});

test.each<[string, LogOptions, string]>([
  ["everything", {}, "a\nb\nc\n"],
  ["the last line", { tailLines: 1 }, "c\n"],
  ["no line", { tailLines: 0 }, ""],
  ["more lines than there are", { tailLines: 9 }, "a\nb\nc\n"],
  ["one stream", { stream: "Stderr" }, "b\n"],
  ["since a time", { sinceTime: "2026-01-01T00:00:05Z" }, "b\nc\n"],
  ["the last seconds", { sinceSeconds: 3 }, "c\n"],
  ["so many bytes", { limitBytes: 4 }, "a\nb\n"],
  ["with times", { tailLines: 1, timestamps: true }, "2026-01-01T00:00:10.000000000Z c\n"],
])("%s", async (_, options, want) => {
  const { read, write, clock } = setUp();
  await write("a", "stdout", START);
  await write("b", "stderr", START + 5000);
  await write("c", "stdout", START + 10_000);
  await clock.advance(10_000);
  expect(await read(options)).toBe(want);
});

test("parts of a line are joined", async () => {
  const { read, files } = setUp();
  await files.write(PATH, "t stdout P one \nt stdout P two \nt stdout F three\n");
  expect(await read({ timestamps: true })).toBe("t one two three\n");
});

test("a log that is not there is empty", async () => {
  expect(await setUp().read()).toBe("");
});

test("following goes on past a rotation, misses nothing, and ends with the container", async () => {
  const { read, write, files, clock, end, listeners } = setUp();
  await write("one");
  const followed = read({ follow: true });
  await clock.advance(0);
  await write("two");
  await files.rename(PATH, `${PATH}.20260101-000000`);
  await files.append(`${PATH}.20260101-000000`, formatLogLine(clock.now(), "stdout", "three"));
  await write("four");
  await clock.advance(10_000);
  await write("five");
  end();
  await clock.advance(0);
  expect(await followed).toBe("one\ntwo\nthree\nfour\nfive\n");
  expect(listeners.size).toBe(0);
});

test("a reader who is behind by several rotations misses nothing either", async () => {
  const { source, write, files, end } = setUp();
  const lines = readLog(source, { follow: true });
  await write("one");
  const seen = [`${Buffer.from((await lines.next()).value ?? "")}`];
  await files.rename(PATH, `${PATH}.20260101-000000`);
  await write("two");
  await files.rename(PATH, `${PATH}.20260101-000010`);
  await write("three");
  end();
  for await (const chunk of lines) seen.push(`${Buffer.from(chunk)}`);
  expect(seen.join("")).toBe("one\ntwo\nthree\n");
});
