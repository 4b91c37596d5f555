/**
 * SPDY/3.1 on a socket, server side: what clients up to kubectl 1.30 speak for exec, attach and port-forward, and what
 * newer ones still speak inside a WebSocket for port-forward.
 *
 * Only the part that Kubernetes' clients use (moby/spdystream): the client opens the streams, headers have no method or
 * path, and there is no flow control but the connection's own, because those clients neither keep windows nor
 * announce any. So one stream that nobody reads stops the others once it has STREAM_WAITING_BYTES_MAX.
 */
import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { refuseUpgrade } from "./refuseUpgrade.ts";
import {
  dataFrame,
  FLAG_FIN,
  type Frame,
  frameReader,
  goAwayFrame,
  headerBlockOf,
  PING,
  pingFrame,
  RST_STREAM,
  resetFrame,
  SYN_STREAM,
  streamIdOf,
  synReplyFrame,
} from "./spdy/frames.ts";
import { emptyHeaderBlock, type Headers, headerReader } from "./spdy/headerBlock.ts";

/** One SPDY stream: readable and writable, with the headers that opened it. */
export type SpdyStream = Duplex & { readonly headers: Headers };

export interface SpdyConnection {
  /** Says goodbye and closes the socket, once everything written has been sent. */
  end(): void;
}

const STREAM_WAITING_BYTES_MAX = 1024 * 1024;
/** Source: spdystream, which takes any; a port-forward uses two per connection. */
const STREAMS_MAX = 10_000;

/** A stream, and how to wait until it takes more. */
interface OpenStream {
  readonly stream: SpdyStream;
  readonly untilRead: () => Promise<void>;
}

/** Takes the socket over; streams that the peer opens come through `onStream`. */
export function spdyServer(socket: Duplex, onStream: (stream: SpdyStream) => void): SpdyConnection {
  const streams = new Map<number, OpenStream>();
  const readHeaders = headerReader();
  let lastStreamId = 0;

  const open = async (body: Buffer, flags: number): Promise<void> => {
    const id = streamIdOf(body);
    const headers = await readHeaders(headerBlockOf(body));
    if (streams.size >= STREAMS_MAX) return void socket.write(resetFrame(id));
    const opened = createStream(socket, id, headers, () => streams.delete(id));
    streams.set(id, opened);
    socket.write(synReplyFrame(id, emptyHeaderBlock(lastStreamId === 0)));
    lastStreamId = id;
    onStream(opened.stream);
    if ((flags & FLAG_FIN) !== 0) opened.stream.push(null);
  };

  const take = async (frame: Frame): Promise<void> => {
    if (frame.kind === "data") {
      const target = streams.get(frame.streamId);
      if (target === undefined) return;
      const takesMore = frame.body.length === 0 || target.stream.push(frame.body);
      if (frame.isLast) target.stream.push(null);
      else if (!takesMore) await target.untilRead();
    } else if (frame.type === SYN_STREAM) await open(frame.body, frame.flags);
    else if (frame.type === RST_STREAM) streams.get(streamIdOf(frame.body))?.stream.destroy();
    else if (frame.type === PING) socket.write(pingFrame(frame.body));
  };

  const serve = async (): Promise<void> => {
    const cut = frameReader();
    for await (const chunk of socket) {
      for (const frame of cut(chunk as Buffer)) await take(frame);
    }
  };

  socket.on("close", () => {
    for (const { stream } of streams.values()) stream.destroy();
  });
  // What goes wrong, a broken frame too, ends the connection; the client sees that.
  serve().then(
    () => socket.destroy(),
    () => socket.destroy(),
  );
  return { end: () => void (socket.writable && socket.end(goAwayFrame(lastStreamId))) };
}

function createStream(socket: Duplex, id: number, headers: Headers, forget: () => void): OpenStream {
  let wake = () => {};
  const send = (frame: Buffer, done: (error?: Error | null) => void) =>
    socket.writable ? socket.write(frame, done) : done(new Error("the connection is closed"));
  const stream = new Duplex({
    readableHighWaterMark: STREAM_WAITING_BYTES_MAX,
    read: () => wake(),
    write: (chunk: Buffer, _encoding, done) => send(dataFrame(id, chunk, false), done),
    final: (done) => send(dataFrame(id, Buffer.alloc(0), true), done),
    destroy(error, done) {
      // After our end the peer may say what it likes; a reset could overtake what it has still to read.
      if (!this.writableFinished && socket.writable) socket.write(resetFrame(id));
      forget();
      wake();
      done(error);
    },
  });
  stream.on("error", () => undefined);
  const untilRead = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
      if (stream.destroyed) resolve();
    });
  return { stream: Object.assign(stream, { headers }), untilRead };
}

export const isSpdyUpgrade = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === "spdy/3.1";

/** Answers the upgrade. @returns the first of `supported` that the client offers; undefined when there is none */
export function acceptSpdyUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  supported: readonly string[],
): string | undefined {
  const offered = `${request.headers["x-stream-protocol-version"] ?? ""}`.split(",").map((one) => one.trim());
  const protocol = supported.find((candidate) => offered.includes(candidate));
  if (protocol === undefined) {
    refuseUpgrade(
      socket,
      "403 Forbidden",
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${supported.join(" ")}]`,
    );
    return undefined;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  return protocol;
}
