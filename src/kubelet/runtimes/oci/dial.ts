import { once } from "node:events";
import { connect, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { openTcpSocketIn } from "./sandboxNamespaces.ts";

const LOOPBACK = "127.0.0.1";

/**
 * A connection to a port on the loopback of a network namespace: the socket is made inside, and a socket stays in the
 * namespace of its making. Undefined: the namespace of this process.
 */
export async function dialIn(networkNamespace: string | undefined, port: number): Promise<Duplex> {
  if (networkNamespace === undefined) return connected(connect({ host: LOOPBACK, port, allowHalfOpen: true }));
  const socket = new Socket({ fd: openTcpSocketIn(networkNamespace), allowHalfOpen: true });
  return connected(socket.connect({ host: LOOPBACK, port }));
}

async function connected(socket: Socket): Promise<Socket> {
  try {
    await once(socket, "connect");
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.setNoDelay(true);
  return socket;
}
