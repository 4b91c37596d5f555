import { connect } from "node:net";
import type { Duplex } from "node:stream";

/** A TCP connection; resolves once it stands. */
export const dialTcp = (host: string, port: number, signal?: AbortSignal): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, ...(signal !== undefined && { signal }) });
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
