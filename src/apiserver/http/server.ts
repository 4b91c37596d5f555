/**
 * The API over TLS: HTTP/2 and HTTP/1.1 by ALPN on one port, on TCP and on Unix sockets.
 *
 * Both protocols become the same `ApiRequest`, and every answer is written by one function, so no verb knows which it
 * was. HTTP/2 uses the stream API; its compatibility layer costs up to half of the throughput.
 */

import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from "node:http";
import {
  constants,
  createServer as createHttp2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Env } from "../../lib/env.ts";
import { ApiError } from "../../machinery/errors.ts";
import type { ApiHandler, ApiRequest, UserInfo } from "../../machinery/requests.ts";
import type { Authenticator } from "../auth/authenticators.ts";
import { isPassedOn } from "../connect/proxyPath.ts";
import { readBody } from "./body.ts";
import { credentialsOf } from "./credentials.ts";
import { takeProtocolToken } from "./protocolToken.ts";
import { identified, type Outgoing, sendError, sendResponse } from "./respond.ts";

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface HttpServerOptions {
  readonly env: Env;
  /** PEM. `clientAuthority` signs the certificates of clients. */
  readonly tls: { readonly certificate: string; readonly key: string; readonly clientAuthority: string };
  readonly handle: ApiHandler;
  /** @throws ApiError Unauthorized */
  readonly authenticate: Authenticator;
  /** Takes over an HTTP/1.1 connection that asks for an upgrade. @throws ApiError while nothing has been sent */
  readonly upgrade?: (request: ApiRequest, user: UserInfo, raw: RawUpgrade) => Promise<void>;
  readonly listen: readonly ListenAddress[];
}

export interface RawUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface HttpServer {
  /** Ports, in the order of `listen`; 0 for Unix sockets. */
  readonly ports: readonly number[];
  /** Stops listening, lets short requests end, and closes what is left open after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/** With Node's default of 10 MB two unread large lists end every further stream of a session. */
const SESSION_MEMORY_MAX_MB = 256;
/** Source: apiserver options, HTTP2MaxStreamsPerConnection; golang.org/x/net/http2 defaults to 250. */
const STREAMS_PER_SESSION_MAX = 1000;
/**
 * Of a request's line and headers; long selectors are part of the line. Node's default is 16 KiB. HTTP/2 in Node takes
 * no single header (the path is one) above 64 KiB. Source: net/http DefaultMaxHeaderBytes.
 */
const HEADER_BYTES_MAX = 1024 * 1024;
/** Node's default for HTTP/2 is 128; for HTTP/1 it is this. */
const HEADERS_MAX = 2000;
/** Bytes in flight per stream, so that a list is not stopped by every 64 KiB. */
const WINDOW_BYTES = 1024 * 1024;

/** A peer that has vanished is noticed by TCP. Source: apiserver server/secure_serving.go, defaultKeepAlivePeriod. */
const KEEP_ALIVE_MS = 3 * 60_000;
/** Source: as above, ReadHeaderTimeout; the handshake's is net/http's, which derives it from that. */
const FIRST_REQUEST_WITHIN_MS = 32_000;
const HANDSHAKE_WITHIN_MS = 32_000;

/** To what is no HTTP. Source: net/http conn.serve. */
function refusalOf({ code }: NodeJS.ErrnoException): string {
  const status = code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`;
}

export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const sockets = new Set<Duplex>();
  const sessions = new Set<ServerHttp2Session>();
  const http2 = createHttp2Server({
    maxSessionMemory: SESSION_MEMORY_MAX_MB,
    maxHeaderListPairs: HEADERS_MAX,
    settings: {
      maxHeaderListSize: HEADER_BYTES_MAX,
      maxConcurrentStreams: STREAMS_PER_SESSION_MAX,
      initialWindowSize: WINDOW_BYTES,
      enableConnectProtocol: false,
    },
  });
  http2.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(WINDOW_BYTES * 4);
    session.once("close", () => sessions.delete(session));
  });
  http2.on("stream", (stream, headers) => {
    void serveHttp2(options, stream as ServerHttp2Stream, headers as Record<string, string>);
  });
  http2.on("sessionError", () => undefined);
  const http1 = createHttp1Server(
    { keepAliveTimeout: 120_000, requestTimeout: 0, maxHeaderSize: HEADER_BYTES_MAX },
    (request, response) => void serveHttp1(options, request, response),
  );
  http1.on("upgrade", (request, socket, head) => void serveUpgrade(options, { request, socket, head }));
  http1.on("clientError", (error, socket) => {
    if (socket.writable) socket.end(refusalOf(error), () => socket.destroy());
    else socket.destroy();
  });

  const onSecure = (socket: TLSSocket) => {
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    if (socket.alpnProtocol !== "h2") socket.setTimeout(FIRST_REQUEST_WITHIN_MS);
    (socket.alpnProtocol === "h2" ? http2 : http1).emit("connection", socket);
  };
  // From the first byte on: who never finishes the handshake must not keep `close` waiting.
  const onConnection = (socket: Duplex) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  const servers = await listenOnAll(options, onConnection, onSecure);
  return {
    ports: servers.map((server) =>
      typeof server.address() === "object" ? ((server.address() as AddressInfo).port ?? 0) : 0,
    ),
    close: async (graceMs = 0) => {
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const session of sessions) session.close();
      http1.closeIdleConnections();
      if (graceMs > 0 && sockets.size > 0) await options.env.clock.sleep(graceMs);
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** On all addresses, or on none. */
async function listenOnAll(
  options: HttpServerOptions,
  onConnection: (socket: Duplex) => void,
  onSecure: (socket: TLSSocket) => void,
) {
  const settled = await Promise.allSettled(options.listen.map((address) => listen(address, options, onSecure)));
  const servers = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    for (const server of servers) server.close();
    throw failed.reason;
  }
  for (const server of servers) server.on("connection", onConnection);
  return servers;
}

function listen(address: ListenAddress, { tls }: HttpServerOptions, onSecure: (socket: TLSSocket) => void) {
  const server = createTlsServer(
    {
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      handshakeTimeout: HANDSHAKE_WITHIN_MS,
      cert: tls.certificate,
      key: tls.key,
      ca: tls.clientAuthority,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
    },
    onSecure,
  );
  server.on("tlsClientError", refusePlainHttp);
  if ("path" in address) rmSync(address.path, { force: true });
  return new Promise<typeof server>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => resolve(server));
  });
}

/** To who forgot the "s" of https. Source: net/http conn.serve. */
function refusePlainHttp({ code }: NodeJS.ErrnoException, socket: TLSSocket): void {
  if (code !== "ERR_SSL_HTTP_REQUEST") return;
  // The connection below, which Node has under no documented name.
  const { _parent: plain } = socket as TLSSocket & { readonly _parent?: Duplex };
  plain?.end("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
}

/** One request of either protocol, without its body. */
interface Incoming {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string | undefined;
  readonly hasBody: boolean;
  readonly body: Readable;
}

async function serve(
  options: HttpServerOptions,
  incoming: Incoming,
  outgoing: Outgoing,
  socket: TLSSocket,
): Promise<void> {
  const gone = new AbortController();
  const answering = identified(outgoing, incoming.headers["audit-id"] ?? randomUUID());
  let isAnswered = false;
  outgoing.onClose(() => {
    // An abort makes an error with its stack, which the many requests that just end can do without.
    if (!isAnswered) gone.abort();
  });
  try {
    const user = await options.authenticate(credentialsOf(socket, incoming.headers.authorization));
    const request = await requestOf(incoming, gone.signal);
    await sendResponse(await options.handle(request, user), answering, {
      method: request.method,
      acceptEncoding: incoming.headers["accept-encoding"],
    });
    isAnswered = true;
  } catch (error) {
    if (!outgoing.isClosed()) sendError(error, answering, options.env);
  }
}

async function requestOf(incoming: Incoming, signal: AbortSignal): Promise<ApiRequest> {
  const { method, headers, body } = incoming;
  if (isPassedOn(incoming.url)) return { ...headOf(incoming), signal, ...(incoming.hasBody && { bodyStream: body }) };
  const bytes = method === "GET" || method === "HEAD" ? undefined : await readBody(body, headers);
  return { ...headOf(incoming), signal, ...(bytes !== undefined && bytes.length > 0 && { body: bytes }) };
}

function headOf({ method, url, headers, remoteAddress }: Omit<Incoming, "body" | "hasBody">): ApiRequest {
  const mark = url.indexOf("?");
  return {
    ...(mark >= 0 && { rawQuery: url.slice(mark + 1) }),
    ...(remoteAddress !== undefined && { remoteAddress }),
    method: method as ApiRequest["method"],
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)),
    headers,
  };
}

function serveHttp2(
  options: HttpServerOptions,
  stream: ServerHttp2Stream,
  headers: Record<string, string>,
): Promise<void> {
  stream.on("error", () => undefined);
  if (headers.expect === "100-continue") stream.additionalHeaders({ [constants.HTTP2_HEADER_STATUS]: 100 });
  const incoming: Incoming = {
    method: headers[":method"] ?? "GET",
    url: headers[":path"] ?? "/",
    headers,
    remoteAddress: stream.session?.socket.remoteAddress,
    hasBody: !stream.endAfterHeaders,
    body: stream,
  };
  const outgoing: Outgoing = {
    respond: (status, responseHeaders) => {
      stream.respond({ [constants.HTTP2_HEADER_STATUS]: status, ...responseHeaders });
      return stream;
    },
    onClose: (run) => onClose(stream, run),
    isClosed: () => stream.destroyed || stream.closed,
    hasResponded: () => stream.headersSent,
    abort: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  };
  return serve(options, incoming, outgoing, stream.session?.socket as unknown as TLSSocket);
}

function serveHttp1(options: HttpServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on("error", () => undefined);
  request.socket.setTimeout(0);
  const incoming: Incoming = { ...http1Head(request), hasBody: hasBody(request), body: request };
  const outgoing: Outgoing = {
    respond: (status, headers) => response.writeHead(status, headers),
    onClose: (run) => onClose(response, run),
    isClosed: () => response.destroyed || response.closed,
    hasResponded: () => response.headersSent,
    abort: () => response.destroy(),
  };
  return serve(options, incoming, outgoing, request.socket as TLSSocket);
}

function onClose(of: Duplex | ServerResponse, run: () => void): () => void {
  of.once("close", run);
  return () => of.off("close", run);
}

const http1Head = (request: IncomingMessage) => ({
  method: request.method ?? "GET",
  url: request.url ?? "/",
  remoteAddress: request.socket.remoteAddress,
  headers: plainHeaders(request),
});

/** Source: RFC 9112, 6.3. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;

const plainHeaders = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : `${value}`]),
  );

async function serveUpgrade(options: HttpServerOptions, raw: RawUpgrade): Promise<void> {
  const { request, socket } = raw;
  socket.on("error", () => socket.destroy());
  request.socket.setTimeout(0);
  try {
    const token = takeProtocolToken(request);
    const authorization = token === undefined ? request.headers.authorization : `Bearer ${token}`;
    const user = await options.authenticate(credentialsOf(request.socket as TLSSocket, authorization));
    if (options.upgrade === undefined) throw new ApiError("BadRequest", "upgrades are not served here");
    await options.upgrade(headOf(http1Head(request)), user, raw);
  } catch (error) {
    const status = (
      error instanceof ApiError
        ? error
        : new ApiError("InternalError", `Internal error occurred: ${(error as Error).message}`)
    ).toStatus();
    const body = JSON.stringify(status);
    socket.end(
      `HTTP/1.1 ${status.code} ${status.reason ?? "Error"}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      // Nobody reads it any more, so it would not notice that the client closes it.
      () => socket.destroy(),
    );
  }
}
