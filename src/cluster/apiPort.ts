/** The API server's port on 127.0.0.1. */
import { createServer } from "node:net";
import { type Lock, tryLock } from "./lock.ts";
import { UserError } from "./userError.ts";

/** kubectl's customary port; further clusters take the next free ones. */
const API_PORT_FIRST = 6443;
const API_PORTS_TRIED_MAX = 200;

/** @throws UserError when this user may not listen there at all */
export const isPortFree = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", ({ code }: NodeJS.ErrnoException) =>
      code === "EACCES"
        ? reject(new UserError(`port ${port} is only root's to listen on; choose another one with --port`))
        : resolve(false),
    );
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });

export interface ReservedPort {
  readonly port: number;
  /** To be kept until the API server listens: no other cluster of this machine, whoever's it is, is given it meanwhile. */
  readonly reservation: Lock;
}

/** @param taken ports of clusters that do not run now. */
export async function reserveFreePort(taken: readonly (number | undefined)[]): Promise<ReservedPort> {
  for (let port = API_PORT_FIRST; port < API_PORT_FIRST + API_PORTS_TRIED_MAX; port++) {
    if (taken.includes(port)) continue;
    const reservation = await tryLock(`port ${port}`);
    if (reservation === undefined) continue;
    if (await isPortFree(port)) return { port, reservation };
    reservation.release();
  }
  throw new UserError(
    `no port from ${API_PORT_FIRST} to ${API_PORT_FIRST + API_PORTS_TRIED_MAX - 1} is free; choose one with --port`,
  );
}
