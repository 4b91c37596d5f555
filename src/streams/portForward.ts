/**
 * Port-forward: any number of TCP connections over one. Three framings:
 * SPDY/3.1 (kubectl up to 1.29), SPDY/3.1 inside a WebSocket (`SPDY/3.1+portforward.k8s.io`, kubectl from 1.30), and
 * plain WebSocket channels (`v4.channel.k8s.io`, the JavaScript client). Source: KEP-4006; kubelet cri/streaming/portforward.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream } from "ws";
import type { Clock, Timer } from "../lib/env.ts";
import { joinStreams } from "../lib/joinStreams.ts";
import { refuseUpgrade } from "./refuseUpgrade.ts";
import { acceptSpdyUpgrade, isSpdyUpgrade, type SpdyStream, spdyServer } from "./spdy.ts";
import { type AcceptedWebSocket, webSocketAcceptor, webSocketChannels } from "./webSocketChannels.ts";

/** A connection to a port of the pod. @throws Error whose message reaches the client. */
export type PortDialer = (port: number) => Promise<Duplex>;

export interface PortForwardOptions {
  readonly dial: PortDialer;
  /** Those of the query, for plain channels; as the client wrote them. */
  readonly ports: readonly string[];
  readonly clock: Clock;
}

const SPDY_PROTOCOL = "portforward.k8s.io";
const TUNNEL_PROTOCOL = `SPDY/3.1+${SPDY_PROTOCOL}`;
/** Best first. A client that names none gets plain channels. */
const PROTOCOLS = [TUNNEL_PROTOCOL, "v4.channel.k8s.io", "v4.base64.channel.k8s.io"];
/** A channel's number is one byte, and each port has two. */
const PORTS_MAX = 127;
const PORT_MAX = 65_535;
/** kubectl sends 32 KiB at a time, the JavaScript client what a socket gave it. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** Source: kubelet streaming.DefaultConfig, StreamCreationTimeout. */
const PAIR_WITHIN_MS = 30_000;

const acceptor = webSocketAcceptor(PROTOCOLS, { messageBytesMax: MESSAGE_BYTES_MAX });

const messageOf = (port: string, cause: unknown) =>
  `error forwarding port ${port} to pod: ${cause instanceof Error ? cause.message : cause}`;

/** Serves the upgraded connection until either end closes it. */
export async function acceptPortForward(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: PortForwardOptions,
): Promise<void> {
  if (isSpdyUpgrade(request)) {
    if (acceptSpdyUpgrade(request, socket, head, [SPDY_PROTOCOL]) !== undefined) serveSpdy(socket, options);
    return;
  }
  const isTunnel = `${request.headers["sec-websocket-protocol"] ?? ""}`.includes(TUNNEL_PROTOCOL);
  const wrong = isTunnel ? undefined : wrongPorts(options.ports);
  if (wrong !== undefined) {
    refuseUpgrade(socket, "400 Bad Request", wrong);
    return;
  }
  const accepted = await acceptor.accept(request, socket, head);
  if (accepted?.protocol === TUNNEL_PROTOCOL) serveSpdy(createWebSocketStream(accepted.webSocket), options);
  else if (accepted !== undefined) serveChannels(accepted, options.ports.map(Number), options.dial);
}

const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= PORT_MAX;

/** Source: portforward/websocket.go NewV4Options. */
function wrongPorts(ports: readonly string[]): string | undefined {
  if (ports.length === 0) return 'query parameter "port" is required';
  if (ports.length > PORTS_MAX) return `more than ${PORTS_MAX} ports over one connection`;
  const wrong = ports.find((port) => !isPort(port));
  return wrong === undefined ? undefined : `unable to parse "${wrong}" as a port`;
}

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
  readonly patience: Timer;
}

/** Each connection is a pair of streams with the same id, which come one after the other. */
function serveSpdy(socket: Duplex, { dial, clock }: PortForwardOptions): void {
  const pairs = new Map<string, Pair>();
  socket.on("error", () => socket.destroy());
  const newPair = (id: string): Pair => ({
    patience: clock.setTimer(PAIR_WITHIN_MS, () => {
      const { data, error } = pairs.get(id) ?? {};
      pairs.delete(id);
      error?.resume().end(`error forwarding port: timed out waiting for the other stream of request ${id}`);
      data?.destroy();
    }),
  });
  spdyServer(socket, (stream) => {
    const { requestid, port = "", streamtype } = stream.headers;
    const id = requestid ?? port;
    const pair = pairs.get(id) ?? newPair(id);
    pairs.set(id, pair);
    if (streamtype === "error") pair.error = stream;
    else pair.data = stream;
    if (pair.data === undefined || pair.error === undefined) return;
    pairs.delete(id);
    pair.patience.cancel();
    void forward(pair.data, pair.error, port, dial);
  });
  socket.once("close", () => {
    for (const { patience } of pairs.values()) patience.cancel();
  });
}

async function forward(data: SpdyStream, error: SpdyStream, port: string, dial: PortDialer): Promise<void> {
  // The client ends its half at once and says nothing there.
  error.resume();
  try {
    if (!isPort(port)) throw new Error(`unable to parse "${port}" as a port`);
    const connection = await dial(Number(port));
    connection.once("close", () => error.end());
    joinToSpdy(data, connection);
  } catch (cause) {
    error.end(messageOf(port, cause));
    data.resume().end();
  }
}

/**
 * Like `joinStreams`, but a program that breaks its connection off only ends the stream: resetting it could take from the
 * client what that has not read yet, and upstream's kubelet never does.
 */
function joinToSpdy(data: SpdyStream, connection: Duplex): void {
  connection.on("error", () => undefined);
  connection.pipe(data).pipe(connection);
  connection.once("close", () => data.end(() => data.destroy()));
  data.once("close", () => connection.destroy());
}

/**
 * Channels 2n (data) and 2n+1 (error) belong to the nth port; the first message of each is the port, little-endian. A
 * port whose connection has ended leaves the others alone; with the last one the WebSocket ends.
 */
function serveChannels(accepted: AcceptedWebSocket, ports: readonly number[], dial: PortDialer): void {
  const { webSocket } = accepted;
  const channels = webSocketChannels(accepted);
  let open = ports.length;
  const closed = () => {
    open -= 1;
    if (open === 0) webSocket.close(1000);
  };
  for (const [index, port] of ports.entries()) {
    const [data, error] = [channels.open(index * 2), channels.output(index * 2 + 1)];
    const header = Buffer.alloc(2);
    header.writeUInt16LE(port);
    for (const channel of [data, error]) channel.write(header);
    data.once("close", () => error.end(closed));
    // What the peer said before it went still reaches the port.
    webSocket.on("close", () => data.end());
    dial(port).then(
      (connection) => {
        connection.once("end", () => connection.end());
        joinStreams(data, connection);
      },
      (cause: unknown) => error.write(messageOf(`${port}`, cause), () => data.destroy()),
    );
  }
}
