/**
 * Exec and attach over WebSocket: every message begins with the number of its channel. v5 adds a message that closes
 * one channel, which is how a client says that its stdin has ended.
 * Source: apimachinery util/remotecommand/constants.go, and KEP-4006.
 */
import type { IncomingMessage } from "node:http";
import { type Duplex, PassThrough, Writable } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { type PushIterable, pushIterable } from "../lib/pushIterable.ts";
import {
  outcomeStatus,
  parseResize,
  type RemoteCommandStreams,
  type StreamOptions,
  type TerminalSize,
} from "./channels.ts";

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Best first. The base64 forms put the channel's digit before base64 text, for clients that can send only text. */
const PROTOCOLS = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
];

/** A client may send stdin in messages up to this size; kubectl sends 32 KiB. */
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** Output waits for the peer once this much is unsent. */
const UNSENT_BYTES_MAX = 1024 * 1024;
const RESIZES_WAITING_MAX = 16;

const server = new WebSocketServer({
  noServer: true,
  maxPayload: MESSAGE_BYTES_MAX,
  perMessageDeflate: false,
  handleProtocols: (offered) => PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
});

export const isWebSocketUpgrade = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === "websocket";

/** Completes the handshake. Resolves when it is done; the socket is destroyed when it is not a WebSocket client's. */
export function acceptWebSocketRemoteCommand(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: StreamOptions,
): Promise<RemoteCommandStreams> {
  return new Promise((resolve) => {
    server.handleUpgrade(request, socket as never, head, (webSocket) => resolve(serve(webSocket, options)));
  });
}

function serve(webSocket: WebSocket, options: StreamOptions): RemoteCommandStreams {
  const base64 = webSocket.protocol.includes("base64");
  const gone = new AbortController();
  const stdin = options.stdin ? new PassThrough() : undefined;
  const resizes = pushIterable<TerminalSize>(RESIZES_WAITING_MAX);
  webSocket.on("message", (data: Buffer, isBinary: boolean) => {
    const decoded = base64 && !isBinary ? decodeBase64(data) : data;
    if (decoded.length > 0) receive(decoded, webSocket, stdin, resizes);
  });
  webSocket.on("close", () => {
    stdin?.end();
    resizes.end();
    gone.abort();
  });
  webSocket.on("error", () => webSocket.terminate());
  const channel = (number: number) =>
    new Writable({ write: (chunk, _encoding, done) => send(webSocket, base64, number, chunk, done) });
  const finishSending = (number: number, data: Buffer) =>
    new Promise<void>((resolve) => send(webSocket, base64, number, data, () => resolve()));
  return {
    ...(stdin !== undefined && { stdin }),
    ...(options.stdout && { stdout: channel(CHANNEL.stdout) }),
    ...(options.stderr && !options.tty && { stderr: channel(CHANNEL.stderr) }),
    resizes,
    signal: gone.signal,
    finish: async (outcome) => {
      await finishSending(CHANNEL.error, Buffer.from(JSON.stringify(outcomeStatus(outcome))));
      webSocket.close(1000);
    },
  };
}

function receive(
  data: Buffer,
  webSocket: WebSocket,
  stdin: PassThrough | undefined,
  resizes: PushIterable<TerminalSize>,
): void {
  const payload = data.subarray(1);
  switch (data[0]) {
    case CHANNEL.stdin:
      if (stdin !== undefined && !stdin.write(payload)) {
        webSocket.pause();
        stdin.once("drain", () => webSocket.resume());
      }
      return;
    case CHANNEL.resize: {
      const size = parseResize(payload);
      if (size !== undefined) resizes.push(size);
      return;
    }
    case CHANNEL.close:
      if (payload[0] === CHANNEL.stdin) stdin?.end();
      return;
    default:
      return;
  }
}

const decodeBase64 = (data: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(data[0] ?? 48) - 48]), Buffer.from(data.subarray(1).toString("latin1"), "base64")]);

function send(webSocket: WebSocket, base64: boolean, channel: number, chunk: Buffer, done: () => void): void {
  // A peer that has gone is not an error of the program inside: what it still says is dropped.
  const sent = () => done();
  if (webSocket.readyState !== webSocket.OPEN) {
    done();
  } else if (base64) {
    webSocket.send(`${channel}${chunk.toString("base64")}`, sent);
  } else {
    const congested = webSocket.bufferedAmount >= UNSENT_BYTES_MAX;
    webSocket.send(Buffer.concat([Buffer.from([channel]), chunk]), congested ? sent : undefined);
    if (!congested) done();
  }
}
