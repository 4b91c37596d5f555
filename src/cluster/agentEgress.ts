/**
 * The control plane's way into the nodes' networks: every agent listens on a Unix socket, which crosses network
 * namespaces, serves the kubelet's API there, and dials addresses of the cluster on request (HTTP CONNECT).
 */
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { Egress } from "../apiserver/connect/egress.ts";

/** An agent that does not answer within this time counts as gone. */
const CONNECT_TIMEOUT_MS = 5_000;

/** @param sockets of all agents by node name; for addresses that belong to no node, any of them will do. */
export function agentEgress(sockets: ReadonlyMap<string, string>): Egress {
  const first = [...sockets.values()][0];
  return {
    kubelet: (nodeName) => connected(requireSocket(sockets.get(nodeName), nodeName)),
    dial: (host, port) => dialThrough(requireSocket(first, "any"), host, port),
  };
}

function requireSocket(path: string | undefined, nodeName: string): string {
  if (path === undefined) throw new Error(`node ${nodeName} is not one of this cluster's`);
  return path;
}

function connected(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

function dialThrough(path: string, host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      socketPath: path,
      method: "CONNECT",
      path: `${host}:${port}`,
      timeout: CONNECT_TIMEOUT_MS,
    });
    outgoing.once("connect", (response, socket, head) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        reject(new Error(`${response.statusMessage}`));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error("i/o timeout")));
    outgoing.once("error", reject);
    outgoing.end();
  });
}
