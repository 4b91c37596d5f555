/** HTTP/1.1 over a connection that is already there: one exchange, or an upgrade passed through byte by byte. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { joinStreams } from "../../lib/joinStreams.ts";

export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Instead of `body`: passed on as it comes. Its length stands in the headers, or nobody knows it. */
  readonly bodyStream?: Readable;
  readonly signal?: AbortSignal;
}

/**
 * Sends one request; the body of the response is read as a stream, maybe before all of the request's has been sent. The
 * connection ends with it.
 */
export function exchange(
  connection: Duplex,
  { method, path, headers, body, bodyStream, signal }: Exchange,
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
          ...(bodyStream !== undefined &&
            headers?.["content-length"] === undefined && { "transfer-encoding": "chunked" }),
        },
        createConnection: () => connection,
        ...(signal !== undefined && { signal }),
      },
      resolve,
    );
    // After the answer has begun, its reader is told.
    outgoing.on("error", reject);
    if (bodyStream === undefined) outgoing.end(body);
    else sendBody(bodyStream, outgoing);
  });
}

/** A body that breaks off breaks the request off. What is left when nobody wants more is read, and thrown away. */
function sendBody(body: Readable, outgoing: ClientRequest): void {
  const brokenOff = () => {
    if (!body.readableEnded) outgoing.destroy();
  };
  body.on("error", brokenOff);
  body.once("close", brokenOff);
  if (body.destroyed) brokenOff();
  outgoing.once("close", () => {
    body.unpipe(outgoing);
    body.resume();
  });
  body.pipe(outgoing);
}

/** Headers that belong to one hop and are not passed on. Source: RFC 9110, 7.6.1. */
const HOP_HEADERS = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
] as const;

/** What is left are the headers for those at the ends; those that are named by `connection` go too. */
export function endToEndHeaders<T extends string | readonly string[]>(
  headers: Readonly<Record<string, T | undefined>>,
): Record<string, T> {
  const named = `${headers.connection ?? ""}`.toLowerCase().split(/\s*,\s*/);
  const hop = new Set<string>([...HOP_HEADERS, ...named]);
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || name.startsWith(":") || hop.has(name) ? [] : [[name, value]],
    ),
  );
}

/** A request for another protocol, the connection that it came on, and what came after it. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Credentials are for us, never for what lies behind. Source: apiserver filters authentication.go, impersonation.go. */
export const isPrivateHeader = (name: string): boolean => name === "authorization" || name.startsWith("impersonate-");

/**
 * Passes an upgrade request on and then every byte both ways, whatever the protocol. The peer's answer, also a refusal,
 * reaches the client as it is. `headers` replace the client's own.
 */
export function passUpgrade(
  { request, socket, head }: Upgrade,
  peer: Duplex,
  {
    path,
    headers = { Host: "localhost" },
  }: { readonly path: string; readonly headers?: Readonly<Record<string, string>> },
): void {
  const replaced = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const lines = [`${request.method} ${path} HTTP/1.1`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] as string;
    if (isPrivateHeader(name.toLowerCase()) || replaced.has(name.toLowerCase())) continue;
    lines.push(`${name}: ${request.rawHeaders[index + 1]}`);
  }
  peer.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) peer.write(head);
  joinStreams(socket, peer);
}
