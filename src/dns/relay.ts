/**
 * Resolvers that listen on the machine's loopback alone (dnsmasq, unbound, Docker's 127.0.0.11) or have only an IPv6
 * address are out of reach from a node's network. So whoever is in the machine's network asks them, for those who say by a Unix socket what to ask:
 * frames as of DNS over TCP, in front of each question one byte for the transport.
 */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { Forwarder } from "./forwarder.ts";
import { framed, splitFrames } from "./frames.ts";

/** What makes an upstream a relay: "unix:" and the socket's path. */
export const RELAY_PREFIX = "unix:";

const TRANSPORTS = ["udp", "tcp"] as const;
/** Connections at once, each for one question; more are closed at once. Source: as the forwarder's, max_concurrent. */
const CONNECTIONS_MAX = 1_000;

export const relayed = (message: Uint8Array, transport: "udp" | "tcp"): Uint8Array =>
  Buffer.concat([Uint8Array.of(TRANSPORTS.indexOf(transport)), message]);

/** Resolves once it listens. A socket file that a dead relay left behind is replaced. */
export function startRelay(path: string, forwarder: Forwarder): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    const take = splitFrames((asked) => {
      const transport = TRANSPORTS[asked[0] ?? -1];
      if (transport === undefined || asked.length < SHORTEST_BYTES) {
        socket.destroy();
        return;
      }
      void forwarder.forward(asked.subarray(1), transport).then((answer) => {
        if (answer === undefined) socket.destroy();
        else if (socket.writable) socket.end(framed(answer));
      });
    });
    socket.on("data", take);
  });
  server.maxConnections = CONNECTIONS_MAX;
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
}

/** The transport and the header of a message. Source: RFC 1035, 4.1.1. */
const SHORTEST_BYTES = 1 + 12;
