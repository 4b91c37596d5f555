/** The agent's Unix socket: the kubelet's API, and CONNECT to any address that the node reaches. */

import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { joinStreams } from "../lib/joinStreams.ts";

/** What serves the kubelet's API; the same for this socket and for TLS on the node's address. */
export interface KubeletHttp {
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const DIAL_TIMEOUT_MS = 5_000;
const TARGET = /^(?:\[([\da-fA-F:.]+)\]|([^\s:]+)):(\d+)$/;
const PORT_MAX = 65_535;

/** Resolves once it listens. A socket file that a dead agent left behind is replaced. */
export function serveAgent(path: string, kubelet: KubeletHttp): Promise<Server> {
  const server = createServer((request, response) => kubelet.handle(request, response));
  server.on("upgrade", (request, socket, head) => kubelet.upgrade(request, socket, head));
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    dial(`${request.url}`, socket, head),
  );
  // Streams of exec and logs may stay silent for hours, and a supervisor's connection never says anything.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.timeout = 0;
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

/** "10.244.0.5:8080", or "[fd00::5]:8080". */
function dial(target: string, client: Duplex, head: Buffer): void {
  const refuse = (reason: string) => client.end(`HTTP/1.1 502 ${reason}\r\n\r\n`, () => client.destroy());
  client.on("error", () => client.destroy());
  const [, bracketed, plain, digits] = TARGET.exec(target) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > PORT_MAX) {
    refuse(`${target} is no address`);
    return;
  }
  const peer = connect({ host: bracketed ?? plain ?? "", port, allowHalfOpen: true, noDelay: true });
  const timer = setTimeout(() => peer.destroy(new Error("i/o timeout")), DIAL_TIMEOUT_MS);
  const failed = (error: NodeJS.ErrnoException) => refuse(reasonOf(error));
  const gone = () => peer.destroy();
  peer.once("error", failed);
  peer.once("close", () => clearTimeout(timer));
  client.once("close", gone);
  peer.once("connect", () => {
    clearTimeout(timer);
    peer.off("error", failed);
    client.off("close", gone);
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    if (head.length > 0) peer.write(head);
    joinStreams(client, peer);
  });
}

/** As Go words it, which is what people search for. */
function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "connect: connection refused";
    case "EHOSTUNREACH":
      return "connect: no route to host";
    case "ETIMEDOUT":
      return "i/o timeout";
    default:
      return error.message.replace(/[^\x20-\x7e]/g, " ");
  }
}
