import type { Duplex } from "node:stream";

/** A TCP connection to an address that this node can reach; resolves once it stands. */
export type Dial = (host: string, port: number, signal?: AbortSignal) => Promise<Duplex>;
