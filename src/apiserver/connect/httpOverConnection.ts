/** HTTP/1.1 over a connection that is already there: one exchange, or an upgrade passed through byte by byte. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { joinStreams } from "../../lib/joinStreams.ts";

export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
}

/** Sends one request; the body of the response is read as a stream. The connection ends with it. */
export function exchange(
  connection: Duplex,
  { method, path, headers, body, signal }: Exchange,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        method,
        path,
        headers: {
          host: "localhost",
          connection: "close",
          ...headers,
          ...(body !== undefined && { "content-length": `${body.length}` }),
        },
        createConnection: () => connection,
        ...(signal !== undefined && { signal }),
      },
      resolve,
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** Headers that belong to one hop and are not passed on. Source: RFC 9110, 7.6.1. */
const HOP_HEADERS = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export const endToEndHeaders = (
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => value !== undefined && !name.startsWith(":") && !HOP_HEADERS.has(name))
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : `${value}`]),
  );

/** A request for another protocol, the connection that it came on, and what came after it. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Credentials are for us, never for what lies behind. */
const PRIVATE_HEADERS = new Set(["authorization", "host"]);

/**
 * Passes an upgrade request on and then every byte both ways, whatever the protocol. The peer's answer, also a refusal,
 * reaches the client as it is.
 */
export function passUpgrade(
  { request, socket, head }: Upgrade,
  peer: Duplex,
  { path, host = "localhost" }: { readonly path: string; readonly host?: string },
): void {
  const lines = [`${request.method} ${path} HTTP/1.1`, `Host: ${host}`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] as string;
    if (!PRIVATE_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[index + 1]}`);
  }
  peer.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) peer.write(head);
  joinStreams(socket, peer);
}
