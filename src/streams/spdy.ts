/**
 * SPDY/3.1 on a socket, server side, by spdy-transport: what clients up to kubectl 1.30 speak for exec, attach and
 * port-forward, and what newer ones still speak inside a WebSocket for port-forward.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
// @ts-expect-error the package ships no types
import transport from "spdy-transport";

/** One SPDY stream: readable and writable, with the headers that opened it. */
export interface SpdyStream extends Duplex {
  readonly headers: IncomingHttpHeaders;
  respond(status: number, headers: Record<string, string>): void;
}

export interface SpdyConnection {
  on(event: "stream", listener: (stream: SpdyStream) => void): void;
  on(event: "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  start(version: number): void;
  end(): void;
}

/** Takes the socket over; streams that the peer opens come through `stream`. */
export function spdyServer(socket: Duplex, onStream: (stream: SpdyStream) => void): SpdyConnection {
  const connection: SpdyConnection = transport.connection.create(socket, {
    protocol: "spdy",
    isServer: true,
    windowSize: 1024 * 1024,
  });
  connection.start(3.1);
  connection.on("error", () => socket.destroy());
  connection.on("stream", (stream) => {
    stream.on("error", () => undefined);
    stream.respond(200, {});
    onStream(stream);
  });
  return connection;
}

export const isSpdyUpgrade = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === "spdy/3.1";

/** Answers the upgrade; `protocol` is the first of `supported` that the client offers. */
export function acceptSpdyUpgrade(request: IncomingMessage, socket: Duplex, supported: readonly string[]): boolean {
  const offered = `${request.headers["x-stream-protocol-version"] ?? ""}`.split(",").map((one) => one.trim());
  const protocol = supported.find((candidate) => offered.includes(candidate));
  if (protocol === undefined) {
    const body = `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${supported.join(" ")}]`;
    socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    return false;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  return true;
}
