/**
 * Port-forward: any number of TCP connections over one. Three framings:
 * SPDY/3.1 (kubectl up to 1.29), SPDY/3.1 inside a WebSocket (`SPDY/3.1+portforward.k8s.io`, kubectl from 1.30), and
 * plain WebSocket channels (`v4.channel.k8s.io`, the JavaScript client). Source: KEP-4006; kubelet cri/streaming/portforward.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";
import { acceptSpdyUpgrade, isSpdyUpgrade, type SpdyStream, spdyServer } from "./spdy.ts";

/** A connection to a port of the pod. @throws Error whose message reaches the client. */
export type PortDialer = (port: number) => Promise<Duplex>;

const SPDY_PROTOCOL = "portforward.k8s.io";
const TUNNEL_PROTOCOL = `SPDY/3.1+${SPDY_PROTOCOL}`;
const CHANNEL_PROTOCOL = "v4.channel.k8s.io";
const PORTS_MAX = 100;

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => [TUNNEL_PROTOCOL, CHANNEL_PROTOCOL].find((protocol) => offered.has(protocol)) ?? false,
});

/** Serves the upgraded connection until either end closes it. `ports` are those of the query, for plain channels. */
export function acceptPortForward(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: { readonly dial: PortDialer; readonly ports: readonly number[] },
): void {
  if (isSpdyUpgrade(request)) {
    if (acceptSpdyUpgrade(request, socket, [SPDY_PROTOCOL])) serveSpdy(socket, options.dial);
    return;
  }
  server.handleUpgrade(request, socket as never, head, (webSocket) => {
    webSocket.on("error", () => webSocket.terminate());
    if (webSocket.protocol === TUNNEL_PROTOCOL) serveSpdy(createWebSocketStream(webSocket), options.dial);
    else serveChannels(webSocket, options.ports.slice(0, PORTS_MAX), options.dial);
  });
}

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
}

function serveSpdy(socket: Duplex, dial: PortDialer): void {
  const pairs = new Map<string, Pair>();
  socket.on("error", () => socket.destroy());
  spdyServer(socket, (stream) => {
    const id = `${stream.headers.requestid ?? stream.headers.port}`;
    const pair = pairs.get(id) ?? {};
    pairs.set(id, pair);
    if (stream.headers.streamtype === "error") pair.error = stream;
    else pair.data = stream;
    if (pair.data === undefined || pair.error === undefined) return;
    pairs.delete(id);
    void forward(pair.data, pair.error, Number(stream.headers.port), dial);
  });
}

async function forward(data: SpdyStream, error: SpdyStream, port: number, dial: PortDialer): Promise<void> {
  try {
    const connection = await dial(port);
    join(data, connection);
    connection.once("close", () => error.end());
  } catch (cause) {
    error.end(`error forwarding port ${port} to pod: ${(cause as Error).message}`);
    data.end();
  }
}

/** Passes bytes and half-closes both ways; an error on either side ends both. */
function join(a: Duplex, b: Duplex): void {
  a.pipe(b);
  b.pipe(a);
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.end());
  }
}

/** Channels 2n (data) and 2n+1 (error) belong to the nth port; the first message of each is the port, little-endian. */
function serveChannels(webSocket: WebSocket, ports: readonly number[], dial: PortDialer): void {
  const connections = ports.map((port, index) => {
    const header = Buffer.alloc(2);
    header.writeUInt16LE(port);
    for (const channel of [index * 2, index * 2 + 1]) webSocket.send(Buffer.concat([Buffer.from([channel]), header]));
    const opened = dial(port);
    opened.then(
      (connection) => {
        connection.on("data", (chunk: Buffer) => webSocket.send(Buffer.concat([Buffer.from([index * 2]), chunk])));
        connection.on("close", () => webSocket.close());
        connection.on("error", () => webSocket.close());
      },
      (error: Error) => webSocket.send(Buffer.concat([Buffer.from([index * 2 + 1]), Buffer.from(error.message)])),
    );
    return opened;
  });
  webSocket.on("message", (message: Buffer) => {
    const channel = message[0] as number;
    if (channel % 2 === 0)
      connections[channel / 2]?.then(
        (connection) => connection.write(message.subarray(1)),
        () => undefined,
      );
  });
  webSocket.on("close", () => {
    for (const opened of connections)
      opened.then(
        (connection) => connection.destroy(),
        () => undefined,
      );
  });
}
