import { Duplex } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { type SpdyStream, spdyServer } from "./spdy.ts";

/** What kubectl 1.35 sends for `exec`: the streams error, stdout and stderr, then the end of each of its sides. */
const SYN_ERROR = "80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff";
const SYN_STDOUT = "800300010000001900000003000000000000c22ac5565c92925f5a02000000ffff";
const SYN_STDERR = "800300010000001500000005000000000000c229975a5404000000ffff";
const PING_7 = "800300060000000400000007";

/** A connection whose peer is the test. */
function connect() {
  const sent: Buffer[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      sent.push(chunk);
      done();
    },
  });
  const streams: SpdyStream[] = [];
  const connection = spdyServer(socket, (stream) => streams.push(stream));
  const receive = (hex: string) => socket.push(Buffer.from(hex, "hex"));
  /** Headers are inflated by another thread. */
  const opened = (count: number) => vi.waitFor(() => expect(streams).toHaveLength(count));
  return { socket, streams, connection, receive, opened, sent: () => Buffer.concat(sent).toString("hex") };
}

describe("a SPDY connection", () => {
  test("opens streams with the headers that kubectl sends, which have no method and no path", async () => {
    const { streams, receive, opened } = connect();
    receive(SYN_ERROR + SYN_STDOUT + SYN_STDERR);
    await opened(3);
    expect(streams.map(({ headers }) => headers.streamtype)).toEqual(["error", "stdout", "stderr"]);
  });

  test("takes frames however they are cut", async () => {
    const { streams, receive, opened } = connect();
    for (const byte of SYN_ERROR.match(/../g) ?? []) receive(byte);
    await opened(1);
    expect(streams.map(({ headers }) => headers.streamtype)).toEqual(["error"]);
  });

  test("answers each stream, the compressor's start only once", async () => {
    const { receive, opened, sent } = connect();
    receive(SYN_ERROR + SYN_STDOUT);
    await opened(2);
    const [start, noHeaders] = ["7801", "000400fbff00000000000000ffff"];
    expect(sent()).toBe(`800300020000001400000001${start}${noHeaders}800300020000001200000003${noHeaders}`);
  });

  test("carries data both ways, and the end of each", async () => {
    const { streams, receive, opened, sent } = connect();
    receive(`${SYN_ERROR}000000010000000268690000000101000000`);
    await opened(1);
    const [stream] = streams as [SpdyStream];
    const received: string[] = [];
    stream.on("data", (chunk) => received.push(`${chunk}`)).on("end", () => received.push("end"));
    await vi.waitFor(() => expect(received).toEqual(["hi", "end"]));
    const before = sent().length;
    stream.end("yo");
    await vi.waitFor(() => expect(sent().slice(before)).toBe("0000000100000002796f0000000101000000"));
  });

  test("answers a ping with the same ping", async () => {
    const { receive, sent } = connect();
    receive(PING_7);
    await vi.waitFor(() => expect(sent()).toBe(PING_7));
  });

  test("a stream that nobody reads holds the others back, and lets them go once it is read", async () => {
    const { streams, receive, opened } = connect();
    receive(SYN_ERROR + SYN_STDOUT);
    await opened(2);
    const [full, other] = streams as [SpdyStream, SpdyStream];
    receive(`0000000100100000${"00".repeat(1024 * 1024)}`);
    receive("00000003000000026869");
    await vi.waitFor(() => expect(full.readableLength).toBe(1024 * 1024));
    await new Promise((resolve) => setImmediate(resolve));
    expect(other.readableLength).toBe(0);
    full.resume();
    await vi.waitFor(() => expect(other.readableLength).toBe(2));
  });

  test("a stream that the peer gives up is destroyed, and so is every stream when the connection ends", async () => {
    const { streams, receive, opened, socket } = connect();
    receive(SYN_ERROR + SYN_STDOUT);
    await opened(2);
    receive("80030003000000080000000100000005");
    await vi.waitFor(() => expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, false]));
    socket.destroy();
    await vi.waitFor(() => expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, true]));
  });
});
