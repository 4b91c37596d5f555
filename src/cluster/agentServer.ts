/** The agent's Unix socket: the kubelet's API, and CONNECT to any address that the node reaches. */

import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

/** What serves the kubelet's API; the same for this socket and for TLS on the node's address. */
export interface KubeletHttp {
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const DIAL_TIMEOUT_MS = 5_000;

/** Resolves once it listens. A socket file that a dead agent left behind is replaced. */
export function serveAgent(path: string, kubelet: KubeletHttp): Promise<Server> {
  const server = createServer((request, response) => kubelet.handle(request, response));
  server.on("upgrade", (request, socket, head) => kubelet.upgrade(request, socket, head));
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    dial(`${request.url}`, socket, head),
  );
  // Streams of exec and logs may stay silent for hours.
  server.requestTimeout = 0;
  server.timeout = 0;
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

/** "10.244.0.5:8080", or "[fd00::5]:8080". */
function dial(target: string, client: Duplex, head: Buffer): void {
  const colon = target.lastIndexOf(":");
  const host = target.slice(0, colon).replace(/^\[|\]$/g, "");
  const peer = connect({ host, port: Number(target.slice(colon + 1)) });
  const timer = setTimeout(() => peer.destroy(new Error("i/o timeout")), DIAL_TIMEOUT_MS);
  let isConnected = false;
  peer.once("connect", () => {
    clearTimeout(timer);
    isConnected = true;
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    if (head.length > 0) peer.write(head);
    client.pipe(peer);
    peer.pipe(client);
  });
  peer.on("error", (error) => {
    clearTimeout(timer);
    if (isConnected) client.destroy();
    else client.end(`HTTP/1.1 502 ${reasonOf(error)}\r\n\r\n`);
  });
  peer.on("close", () => client.destroy());
  client.on("error", () => peer.destroy());
  client.on("close", () => peer.destroy());
}

/** As Go words it, which is what people search for. */
function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "EHOSTUNREACH":
      return "no route to host";
    case "ETIMEDOUT":
      return "i/o timeout";
    default:
      return error.message.replace(/[\r\n]/g, " ");
  }
}
