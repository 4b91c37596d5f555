/**
 * Channels over WebSocket: every message begins with the number of its channel, as a byte, or in the base64 forms as a
 * digit before base64 text, for clients that can send only text. Source: apimachinery util/httpstream/wsstream.
 */
import type { IncomingMessage } from "node:http";
import { Duplex, Writable } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { refuseUpgrade } from "./refuseUpgrade.ts";

/** Output waits for the peer once this much is unsent. */
const UNSENT_BYTES_MAX = 1024 * 1024;
/** The peer waits once this much of one channel is unread, with all its channels. */
const RECEIVED_BYTES_MAX = 1024 * 1024;
const DIGIT_ZERO = 0x30;

export interface WebSocketChannels {
  /** One channel, with back-pressure both ways. It ends when the peer goes; what is written to it then is dropped. */
  open(channel: number): Duplex;
  /** A channel on which only we speak. */
  output(channel: number): Writable;
}

export const isWebSocketUpgrade = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === "websocket";

/** A WebSocket, and the protocol that was agreed on; "" when the client named none. */
export interface AcceptedWebSocket {
  readonly webSocket: WebSocket;
  readonly protocol: string;
}

export interface WebSocketAcceptor {
  /** Completes the handshake. Undefined when there was none to complete; the socket is answered and closed then. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<AcceptedWebSocket | undefined>;
}

const PROTOCOL_HEADER = "sec-websocket-protocol";

/**
 * Agrees on the protocol by itself: the name of port-forward's has a slash, which RFC 6455 does not allow and `ws` refuses.
 * @param protocols best first
 */
export function webSocketAcceptor(
  protocols: readonly string[],
  { messageBytesMax }: { readonly messageBytesMax: number },
): WebSocketAcceptor {
  const server = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false });
  const agreed = new WeakMap<IncomingMessage, string>();
  server.on("headers", (headers, request) => {
    const protocol = agreed.get(request);
    if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  return {
    accept: (request, socket, head) => {
      const offered = `${request.headers[PROTOCOL_HEADER] ?? ""}`.split(",").flatMap((one) => one.trim() || []);
      const protocol = protocols.find((one) => offered.includes(one));
      if (offered.length > 0 && protocol === undefined) {
        const names = `[${offered.join(" ")}]; supports [${protocols.join(" ")}]`;
        refuseUpgrade(socket, "403 Forbidden", `requested protocol(s) are not supported: ${names}`);
        return Promise.resolve(undefined);
      }
      if (protocol !== undefined) agreed.set(request, protocol);
      delete request.headers[PROTOCOL_HEADER];
      return new Promise((resolve) => {
        socket.once("close", () => resolve(undefined));
        server.handleUpgrade(request, socket as never, head, (webSocket) => {
          // It closes by itself, telling the peer why.
          webSocket.on("error", () => undefined);
          resolve({ webSocket, protocol: protocol ?? "" });
        });
      });
    },
  };
}

/** @param closeChannel a message there names a channel that the peer has ended */
export function webSocketChannels(
  { webSocket, protocol }: AcceptedWebSocket,
  closeChannel?: number,
): WebSocketChannels {
  const isBase64 = protocol.includes("base64");
  const streams = new Map<number, Duplex>();
  const full = new Set<Duplex>();
  const end = (channel: number | undefined) => {
    streams.get(channel ?? -1)?.push(null);
    streams.delete(channel ?? -1);
  };
  const goOn = (stream: Duplex) => {
    if (full.delete(stream) && full.size === 0) webSocket.resume();
  };
  webSocket.on("message", (message: Buffer, isBinary: boolean) => {
    const { channel, data } = isBase64 && !isBinary ? decodeBase64(message) : decode(message);
    if (channel === closeChannel) end(data[0]);
    const stream = streams.get(channel);
    if (stream === undefined || data.length === 0 || stream.push(data)) return;
    full.add(stream);
    webSocket.pause();
  });
  webSocket.on("close", () => {
    for (const channel of [...streams.keys()]) end(channel);
  });
  const write = (channel: number) => ({
    write: (chunk: Buffer, _encoding: unknown, done: () => void) =>
      send(webSocket, isBase64 ? encodeBase64(channel, chunk) : encode(channel, chunk), done),
  });
  return {
    open: (channel) => {
      const stream: Duplex = new Duplex({
        readableHighWaterMark: RECEIVED_BYTES_MAX,
        read: () => goOn(stream),
        ...write(channel),
        destroy: (error, done) => {
          if (streams.get(channel) === stream) streams.delete(channel);
          goOn(stream);
          done(error);
        },
      });
      streams.set(channel, stream);
      return stream;
    },
    output: (channel) => new Writable(write(channel)),
  };
}

const decode = (message: Buffer) => ({ channel: message[0] ?? -1, data: message.subarray(1) });
const decodeBase64 = (message: Buffer) => ({
  channel: (message[0] ?? 0) - DIGIT_ZERO,
  data: Buffer.from(message.toString("latin1", 1), "base64"),
});
const encode = (channel: number, data: Buffer) => Buffer.concat([Buffer.from([channel]), data]);
const encodeBase64 = (channel: number, data: Buffer) =>
  `${String.fromCharCode(DIGIT_ZERO + channel)}${data.toString("base64")}`;

function send(webSocket: WebSocket, message: Buffer | string, done: () => void): void {
  // A peer that has gone is not an error of the program inside: what it still says is dropped.
  if (webSocket.readyState !== webSocket.OPEN) {
    done();
    return;
  }
  const isCongested = webSocket.bufferedAmount >= UNSENT_BYTES_MAX;
  webSocket.send(message, () => isCongested && done());
  if (!isCongested) done();
}
