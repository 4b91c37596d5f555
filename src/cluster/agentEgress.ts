/**
 * The control plane's way into the nodes' networks: every agent listens on a Unix socket, which crosses network
 * namespaces, serves the kubelet's API there, and dials addresses of the cluster on request (HTTP CONNECT).
 */
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Egress } from "../apiserver/connect/egress.ts";

/** An agent that does not answer within this time counts as gone. */
const ANSWER_TIMEOUT_MS = 7_000;

/** @param sockets of all agents by node name; for addresses that belong to no node, any of them will do. */
export function agentEgress(
  sockets: ReadonlyMap<string, string>,
  { answerTimeoutMs = ANSWER_TIMEOUT_MS } = {},
): Egress {
  return {
    kubelet: async (nodeName) => {
      const path = sockets.get(nodeName);
      if (path === undefined) throw new Error(`node ${nodeName} is not one of this cluster's`);
      return connected(path);
    },
    dial: (host, port) => dialThroughAny([...sockets.values()], { host, port, answerTimeoutMs }),
  };
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly answerTimeoutMs: number;
}

/** Through the first agent that is there: what an agent says of the address goes for all of them. */
async function dialThroughAny(paths: readonly string[], target: Target): Promise<Duplex> {
  let failure: unknown = new Error("this cluster has no nodes");
  for (const path of paths) {
    try {
      return await dialThrough(await connected(path), target);
    } catch (error) {
      if (error instanceof DialError) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** The agent has tried, in vain. */
class DialError extends Error {}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      // Whoever takes it listens for errors of its own; until then they only close it.
      socket.on("error", () => undefined);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

function dialThrough(agent: Socket, { host, port, answerTimeoutMs }: Target): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      createConnection: () => agent,
      method: "CONNECT",
      path: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    });
    // The agent gives up sooner; this is for one that hangs.
    agent.setTimeout(answerTimeoutMs, () => outgoing.destroy(new Error("i/o timeout")));
    outgoing.once("connect", (response, socket, head) => {
      agent.setTimeout(0);
      if (response.statusCode !== 200) {
        socket.destroy();
        reject(new DialError(`${response.statusMessage}`));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}
