/**
 * The API over TLS, on TCP or on a Unix socket, as one HTTP/2 session with many streams. A session that ends is made
 * anew by the next request; what was under way fails, and its caller decides whether to repeat it.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { ApiError, type Status } from "../../machinery/errors.ts";
import type { KubeObject, WatchEvent } from "../../machinery/object.ts";
import type { ApiRequest } from "../../machinery/requests.ts";
import type { Transport, TransportResponse } from "../transport.ts";

export interface HttpsTransportOptions {
  /** "https://127.0.0.1:6443". With `socketPath` only its host name matters: the certificate must name it. */
  readonly server: string;
  readonly socketPath?: string;
  /** PEM. */
  readonly ca: string;
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
  /** Asked for each request, because tokens change. */
  readonly token?: () => string;
}

/** A server that has not answered a ping within this time is gone. Source: client-go, HTTP2 ReadIdleTimeout 30 s + PingTimeout 15 s. */
const PING_EVERY_MS = 30_000;
const PING_TIMEOUT_MS = 15_000;
const WINDOW_BYTES = 1024 * 1024;
const SESSION_MEMORY_MAX_MB = 256;

export function httpsTransport(options: HttpsTransportOptions): Transport {
  let session: ClientHttp2Session | undefined;
  const open = (): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) session = newSession(options);
    return session;
  };
  const send = (request: ApiRequest): Promise<Answer> => exchange(open(), options, request);
  return {
    request: async (request) => responseOf(await succeeded(await send(request))),
    watch: async (request) => events((await succeeded(await send(request))).stream),
    stream: async (request) => (await succeeded(await send(request))).stream,
    close: async () => {
      const closing = session;
      session = undefined;
      if (closing === undefined || closing.destroyed) return;
      closing.destroy();
    },
  };
}

function newSession(options: HttpsTransportOptions): ClientHttp2Session {
  const url = new URL(options.server);
  // URLs write IPv6 addresses in brackets, nobody else does.
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const { clientCertificate: pair, socketPath } = options;
  const session = connectHttp2(options.server, {
    maxSessionMemory: SESSION_MEMORY_MAX_MB,
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    createConnection: () =>
      connectTls({
        socket: socketPath === undefined ? connectTcp(Number(url.port || 443), host) : connectTcp({ path: socketPath }),
        servername: isIP(host) === 0 ? host : "",
        host,
        ca: options.ca,
        ALPNProtocols: ["h2"],
        ...(pair !== undefined && { cert: pair.certificate, key: pair.key }),
      }),
  });
  session.on("error", () => undefined);
  session.once("connect", () => session.setLocalWindowSize(WINDOW_BYTES * 4));
  // Idle sessions must not keep a command-line program alive.
  session.unref();
  keepAlive(session);
  return session;
}

function keepAlive(session: ClientHttp2Session): void {
  const timer = setInterval(() => {
    if (session.closed || session.destroyed) return;
    const dead = setTimeout(() => session.destroy(new Error("http2: client connection lost")), PING_TIMEOUT_MS);
    dead.unref();
    session.ping(() => clearTimeout(dead));
  }, PING_EVERY_MS);
  timer.unref();
  session.once("close", () => clearInterval(timer));
}

/** Streams under way by session: as long as there is one, the session keeps the process alive. */
const active = new WeakMap<ClientHttp2Session, number>();

function hold(session: ClientHttp2Session): void {
  active.set(session, (active.get(session) ?? 0) + 1);
  session.ref();
}

function release(session: ClientHttp2Session): void {
  const left = (active.get(session) ?? 1) - 1;
  active.set(session, left);
  if (left === 0 && !session.destroyed) session.unref();
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly stream: ClientHttp2Stream;
}

function exchange(session: ClientHttp2Session, options: HttpsTransportOptions, request: ApiRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { signal } = request;
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const query = request.query?.toString() ?? "";
    const token = options.token?.();
    const stream = session.request(
      {
        ...request.headers,
        [constants.HTTP2_HEADER_METHOD]: request.method,
        [constants.HTTP2_HEADER_PATH]: query === "" ? request.path : `${request.path}?${query}`,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      { endStream: request.body === undefined },
    );
    // Held once the stream is there, whose end releases it: a session that goes away refuses to make one.
    hold(session);
    const abort = () => stream.close(constants.NGHTTP2_CANCEL);
    signal?.addEventListener("abort", abort, { once: true });
    let isAnswered = false;
    stream.once("close", () => {
      signal?.removeEventListener("abort", abort);
      release(session);
      // An error is made with its stack, which requests that just end can do without.
      if (!isAnswered) reject(signal?.aborted === true ? signal.reason : connectionLost());
    });
    stream.on("error", reject);
    stream.once("response", (headers) => {
      isAnswered = true;
      resolve({ status: Number(headers[constants.HTTP2_HEADER_STATUS]), headers, stream });
    });
    if (request.body !== undefined)
      stream.end(request.body instanceof Uint8Array ? request.body : JSON.stringify(request.body));
  });
}

const connectionLost = () =>
  Object.assign(new Error("the connection to the API server was lost"), { code: "ECONNRESET" });

async function text(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

const isJson = (headers: IncomingHttpHeaders) => `${headers["content-type"] ?? ""}`.startsWith("application/json");

/** @throws ApiError for a status of 400 and above */
async function succeeded(answer: Answer): Promise<Answer> {
  if (answer.status < 400) return answer;
  const body = await text(answer.stream);
  if (!isJson(answer.headers)) throw new ApiError("", body.trim() || `HTTP ${answer.status}`, { code: answer.status });
  throw ApiError.fromStatus(JSON.parse(body) as Status, answer.status);
}

async function responseOf({ status, headers, stream }: Answer): Promise<TransportResponse> {
  const body = await text(stream);
  const plain = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `${value}`]));
  return { status, headers: plain, body: isJson(headers) && body !== "" ? JSON.parse(body) : body };
}

/** One batch per chunk of the network, so that a burst is handled at once. @throws ApiError of an ERROR event */
async function* events(stream: AsyncIterable<Uint8Array>): AsyncGenerator<readonly WatchEvent<KubeObject>[]> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    const batch = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as WatchEvent<KubeObject>);
    const failed = batch.findIndex(({ type }) => type === "ERROR");
    if (failed < 0) {
      if (batch.length > 0) yield batch;
      continue;
    }
    if (failed > 0) yield batch.slice(0, failed);
    const status = batch[failed]?.object as unknown as Status;
    throw ApiError.fromStatus(status, status.code);
  }
}
