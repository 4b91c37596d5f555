import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import type { Clock } from "../../lib/env.ts";
import { joinStreams } from "../../lib/joinStreams.ts";
import type { HostPort, OpenHostPort } from "../hostPorts.ts";

/** A client that has been silent this long is forgotten. Source: kube-proxy's former --udp-timeout, and conntrack's. */
const UDP_IDLE_MS = 30_000;
/** Clients of one UDP port at once; the longest known makes room. */
const UDP_CLIENTS_MAX = 1_024;
const LOOPBACK = "127.0.0.1";

/** Real listeners on this machine's loopback that dial the same port on a node. */
export const hostPortListeners =
  (options: {
    /** Of the node of that name, or of any where none is asked for. */
    readonly addressOf: (nodeName: string | undefined) => string;
    readonly clock: Clock;
  }): OpenHostPort =>
  (hostPort, nodeName) => {
    const nodeIP = () => options.addressOf(nodeName());
    return hostPort.protocol === "TCP" ? listenTcp(hostPort, nodeIP) : listenUdp(hostPort, nodeIP, options.clock);
  };

function listenTcp({ port }: HostPort, nodeIP: () => string): Promise<{ close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const node = connect({ host: nodeIP(), port, allowHalfOpen: true, noDelay: true });
    for (const [one, other] of [
      [client, node],
      [node, client],
    ] as const) {
      open.add(one);
      // A refusal is passed on as one, not as an end.
      one.on("error", () => other.resetAndDestroy());
      one.once("close", () => open.delete(one));
    }
    joinStreams(client, node);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LOOPBACK, () =>
      resolve({
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of open) socket.destroy();
          }),
      }),
    );
  });
}

/** Each client has a socket of its own towards the node, so that answers find their way back. */
function listenUdp({ port }: HostPort, nodeIP: () => string, clock: Clock): Promise<{ close(): Promise<void> }> {
  const server = createSocket("udp4");
  const clients = new Map<string, { socket: UdpSocket; lastMs: number }>();
  const drop = (key: string) => {
    clients.get(key)?.socket.close();
    clients.delete(key);
  };
  const watchIdle = (key: string): void => {
    clock.setTimer(UDP_IDLE_MS, () => {
      const client = clients.get(key);
      if (client === undefined) return;
      if (clock.monotonic() - client.lastMs >= UDP_IDLE_MS) drop(key);
      else watchIdle(key);
    });
  };
  const clientOf = (key: string, address: string, clientPort: number) => {
    if (clients.size >= UDP_CLIENTS_MAX) drop(clients.keys().next().value as string);
    const socket = createSocket("udp4");
    socket.on("message", (answer) => server.send(answer, clientPort, address, () => {}));
    socket.on("error", () => {});
    const client = { socket, lastMs: clock.monotonic() };
    clients.set(key, client);
    watchIdle(key);
    return client;
  };
  server.on("message", (message, from) => {
    const key = `${from.address}:${from.port}`;
    const client = clients.get(key) ?? clientOf(key, from.address, from.port);
    client.lastMs = clock.monotonic();
    client.socket.send(message, port, nodeIP(), () => {});
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.bind(port, LOOPBACK, () => {
      server.off("error", reject).on("error", () => {});
      const close = async () => {
        for (const key of [...clients.keys()]) drop(key);
        await new Promise<void>((closed) => server.close(() => closed()));
      };
      resolve({ close });
    });
  });
}
