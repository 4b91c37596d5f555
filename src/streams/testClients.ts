/** A server on the loopback and the clients of exec, attach and port-forward that the tests here drive it with. */
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { constants, createDeflate } from "node:zlib";
import { WebSocket } from "ws";
import { HEADER_DICTIONARY } from "./spdy/dictionary.ts";
import { dataFrame, frameReader, RST_STREAM, streamIdOf } from "./spdy/frames.ts";

export interface TestServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function serveUpgrades(
  serve: (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown,
): Promise<TestServer> {
  const server = createServer();
  const sockets = new Set<Duplex>();
  server.on("upgrade", (request, socket, head) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    serve(request, socket, head);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What came on each channel. */
function received() {
  const chunks = new Map<number, Buffer[]>();
  const bytes = (channel: number) => Buffer.concat(chunks.get(channel) ?? []);
  return {
    add: (channel: number, data: Buffer) => {
      chunks.set(channel, [...(chunks.get(channel) ?? []), data]);
    },
    has: (channel: number) => chunks.has(channel),
    text: (channel: number) => bytes(channel).toString(),
    length: (channel: number) => bytes(channel).length,
  };
}

/** A WebSocket client of channels. */
export async function webSocketClient(port: number, protocols: string[], path = "/") {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols);
  const all = received();
  const isBase64 = () => webSocket.protocol.includes("base64");
  webSocket.on("message", (message: Buffer) => {
    const channel = isBase64() ? (message[0] as number) - 48 : (message[0] as number);
    const data = isBase64() ? Buffer.from(message.toString("latin1", 1), "base64") : message.subarray(1);
    all.add(channel, data);
  });
  const closed = new Promise<number>((resolve) => webSocket.once("close", resolve));
  await once(webSocket, "open");
  return {
    ...all,
    webSocket,
    closed,
    send: (channel: number, data: string | Buffer) =>
      isBase64()
        ? webSocket.send(`${channel}${Buffer.from(data).toString("base64")}`)
        : webSocket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)])),
  };
}

/**
 * The bytes within the binary messages of a WebSocket, as kubectl opens one for port-forward. By hand, because the
 * protocol's name is one that WebSocket clients refuse to ask for.
 */
export async function webSocketTunnel(port: number, protocol: string): Promise<Duplex> {
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": protocol,
  };
  const request = httpRequest({ port, host: "127.0.0.1", headers }).end();
  const [response, socket] = (await once(request, "upgrade")) as [IncomingMessage, Duplex];
  if (response.headers["sec-websocket-protocol"] !== protocol) throw new Error("another protocol was agreed on");
  const tunnel: Duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => socket.write(maskedMessage(chunk), () => done()),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  let rest: Buffer = Buffer.alloc(0);
  socket.on("error", () => socket.destroy()).on("close", () => tunnel.destroy());
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let message = firstMessage(rest); message !== undefined; message = firstMessage(rest)) {
      tunnel.push(message.data);
      rest = rest.subarray(message.end);
    }
  });
  return tunnel;
}

const BINARY_AND_LAST = 0x82;
const LENGTH_OF_64_BITS = 127;

/** With a mask of zeros, which leaves the data as it is. */
function maskedMessage(data: Buffer): Buffer {
  const head = Buffer.alloc(14);
  head[0] = BINARY_AND_LAST;
  head[1] = 0x80 | LENGTH_OF_64_BITS;
  head.writeBigUInt64BE(BigInt(data.length), 2);
  return Buffer.concat([head, data]);
}

function firstMessage(bytes: Buffer): { readonly data: Buffer; readonly end: number } | undefined {
  if (bytes.length < 10 && bytes.length < 2 + (bytes[1] ?? 0)) return undefined;
  const [, short = 0] = bytes;
  const [length, start] =
    short < 126 ? [short, 2] : short === 126 ? [bytes.readUInt16BE(2), 4] : [Number(bytes.readBigUInt64BE(2)), 10];
  const end = start + length;
  return bytes.length < end ? undefined : { data: bytes.subarray(start, end), end };
}

/** The status and body with which an upgrade is refused. */
export const refusalOf = (port: number, headers: Record<string, string>, path = "/"): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: "127.0.0.1", path, headers: { connection: "Upgrade", ...headers } });
    request.on("response", async (response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve(`${response.statusCode} ${body}`);
    });
    request.on("upgrade", () => reject(new Error("the upgrade was not refused")));
    request.on("error", reject).end();
  });

/** Upgrades to SPDY as kubectl does; `protocol` undefined offers none. */
export const upgradeToSpdy = (port: number, protocols: string): Promise<{ socket: Duplex; protocol: unknown }> =>
  new Promise((resolve, reject) => {
    const headers = { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": protocols };
    const request = httpRequest({ port, host: "127.0.0.1", method: "POST", headers });
    request.on("upgrade", (response, socket) =>
      resolve({ socket, protocol: response.headers["x-stream-protocol-version"] }),
    );
    request.on("error", reject).end();
  });

/** The client's end of a SPDY connection, as little of it as the tests need. Streams have the odd numbers. */
export function spdyClient(socket: Duplex) {
  const deflate = createDeflate({ dictionary: HEADER_DICTIONARY, flush: constants.Z_SYNC_FLUSH });
  const cut = frameReader();
  const all = received();
  const ended = new Set<number>();
  const wasReset = new Set<number>();
  let streams = 0;
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    for (const frame of cut(chunk)) {
      if (frame.kind === "control" && frame.type === RST_STREAM) wasReset.add(streamIdOf(frame.body));
      if (frame.kind !== "data") continue;
      all.add(frame.streamId, frame.body);
      if (frame.isLast) ended.add(frame.streamId);
    }
  });
  const compress = (block: Buffer): Promise<Buffer> =>
    new Promise((resolve) => {
      deflate.write(block, () => {
        const pieces: Buffer[] = [];
        for (let piece = deflate.read(); piece !== null; piece = deflate.read()) pieces.push(piece);
        resolve(Buffer.concat(pieces));
      });
    });
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  return {
    ...all,
    ended,
    wasReset,
    open: async (headers: Record<string, string>): Promise<number> => {
      const id = 2 * streams++ + 1;
      const words = Object.entries(headers)
        .flat()
        .map((word) => Buffer.from(word));
      const pairs = words.flatMap((word) => [number(word.length), word]);
      const block = await compress(Buffer.concat([number(words.length / 2), ...pairs]));
      const body = Buffer.concat([number(id), number(0), Buffer.alloc(2), block]);
      socket.write(Buffer.concat([Buffer.from([0x80, 3, 0, 1]), number(body.length), body]));
      return id;
    },
    send: (stream: number, bytes: string | Buffer, isLast = false) =>
      socket.write(dataFrame(stream, Buffer.from(bytes), isLast)),
    reset: (stream: number) =>
      socket.write(Buffer.concat([Buffer.from([0x80, 3, 0, 3, 0, 0, 0, 8]), number(stream), number(5)])),
  };
}
