import { isIPv6, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A TCP connection to an address that this node can reach; resolves once it stands. */
export type Dial = (host: string, port: number, signal?: AbortSignal) => Promise<Duplex>;

/** As Go words them, which is what people search for. Source: go syscall/zerrors_linux_amd64.go, net/dial.go. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ECONNRESET: "connect: connection reset by peer",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "connect: connection timed out",
};

const joined = (host: string, port: number): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** Why there is no connection. */
export function dialFailure(host: string, port: number, error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `dial tcp: lookup ${host}: no such host`;
  return `dial tcp ${joined(host, port)}: ${WORDS[code] ?? message}`;
}

/** The same connections, and failures in the words of `dialFailure`. */
export const wordedDial =
  (dial: Dial): Dial =>
  (host, port, signal) =>
    dial(host, port, signal).catch((cause: unknown) => {
      throw new Error(dialFailure(host, port, cause), { cause });
    });

/** Why reading from a connection that stood has failed. Source: go net/net.go, OpError. */
export function readFailure(stream: Duplex, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "ECONNRESET") return message;
  const { localAddress, localPort, remoteAddress, remotePort } = stream as Partial<Socket>;
  const ends =
    remoteAddress === undefined
      ? ""
      : ` ${joined(`${localAddress}`, Number(localPort))}->${joined(`${remoteAddress}`, Number(remotePort))}`;
  return `read tcp${ends}: read: connection reset by peer`;
}
