/** Writes any `ApiResponse` to a client, with back-pressure, whichever protocol carries it. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { createGzip, gzipSync } from "node:zlib";
import type { Env } from "../../lib/env.ts";
import { ApiError } from "../../machinery/errors.ts";
import type { ApiResponse, WatchFrame } from "../../machinery/requests.ts";

export type HeaderValue = string | number | string[];

/** Where an answer goes. */
export interface Outgoing {
  respond(status: number, headers: Record<string, HeaderValue>): Writable;
  /** @returns how to take it back */
  onClose(run: () => void): () => void;
  isClosed(): boolean;
  hasResponded(): boolean;
  /** Ends it so that the client sees that something is missing. */
  abort(): void;
}

/** Says in the head by what its request is known. Source: apiserver endpoints/filters/audit_init.go. */
export const identified = (outgoing: Outgoing, auditId: string): Outgoing => ({
  ...outgoing,
  respond: (status, headers) => outgoing.respond(status, { "audit-id": auditId, ...headers }),
});

interface Wishes {
  readonly method: string;
  readonly acceptEncoding: string | undefined;
}

/** Smaller answers are sent as they are. Source: apiserver responsewriters, defaultGzipThresholdBytes. */
const GZIP_BYTES_MIN = 128 * 1024;
/** Fast rather than small. Source: as above, defaultGzipContentEncodingLevel. */
const GZIP_LEVEL = 1;

const COMMON_HEADERS = { "cache-control": "no-cache, private" };

export async function sendResponse(response: ApiResponse, outgoing: Outgoing, wishes: Wishes): Promise<void> {
  if (outgoing.isClosed()) {
    if (response.type === "watch") response.events.close();
    return;
  }
  switch (response.type) {
    case "object":
      return sendChunks(response.bytes(), { contentType: "application/json", ...response }, outgoing, wishes);
    case "bytes":
      return sendChunks(response.bytes, response, outgoing, wishes);
    case "stream":
      return sendStream(response.stream, response, outgoing);
    case "watch":
      return sendWatch(response, outgoing);
    default:
      return response satisfies never;
  }
}

interface Head {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

const headersOf = ({ contentType, headers }: Head): Record<string, HeaderValue> => ({
  ...COMMON_HEADERS,
  ...(contentType !== "" && { "content-type": contentType }),
  ...(headers as Record<string, string | string[]> | undefined),
});

async function sendChunks(
  bytes: Uint8Array | Iterable<Uint8Array>,
  head: Head,
  outgoing: Outgoing,
  wishes: Wishes,
): Promise<void> {
  const headers = headersOf(head);
  const compress = takesGzip(wishes.acceptEncoding ?? "");
  if (bytes instanceof Uint8Array) {
    const body = compress && bytes.length > GZIP_BYTES_MIN ? gzipSync(bytes, { level: GZIP_LEVEL }) : bytes;
    if (body !== bytes) Object.assign(headers, COMPRESSED_HEADERS);
    headers["content-length"] = body.length;
    outgoing.respond(head.status, headers).end(wishes.method === "HEAD" ? undefined : body);
    return;
  }
  const iterator = bytes[Symbol.iterator]();
  const begun = [iterator.next(), iterator.next()].flatMap((next) => (next.done ? [] : [next.value]));
  const [only = NO_BYTES] = begun;
  if (begun.length < 2) return sendChunks(only, head, outgoing, wishes);
  const output = compress
    ? gzipInto(outgoing, head.status, { ...headers, ...COMPRESSED_HEADERS })
    : outgoing.respond(head.status, headers);
  for (const chunk of begun) await write(output, chunk, outgoing);
  for (let next = iterator.next(); !next.done; next = iterator.next()) await write(output, next.value, outgoing);
  output.end();
}

const COMPRESSED_HEADERS = { "content-encoding": "gzip", vary: "Accept-Encoding" };

/** The bare word alone. Source: apiserver responsewriters, responseContentEncodingSupported. */
const takesGzip = (acceptEncoding: string): boolean =>
  acceptEncoding.split(",").some((encoding) => encoding.trim() === "gzip");

const NO_BYTES = new Uint8Array();

function gzipInto(outgoing: Outgoing, status: number, headers: Record<string, HeaderValue>): Writable {
  const gzip = createGzip({ level: GZIP_LEVEL });
  gzip.pipe(outgoing.respond(status, headers));
  outgoing.onClose(() => gzip.destroy());
  gzip.on("error", () => undefined);
  return gzip;
}

/** Resolves when more may be written. @throws Error when the client has gone */
async function write(output: Writable, chunk: Uint8Array, outgoing: Outgoing): Promise<void> {
  if (output.write(chunk)) return;
  if (outgoing.isClosed()) throw new Error("the client has gone");
  const gone = new AbortController();
  const forget = outgoing.onClose(() => gone.abort());
  try {
    await once(output, "drain", { signal: gone.signal });
  } finally {
    forget();
  }
}

async function sendStream(stream: AsyncIterable<Uint8Array>, head: Head, outgoing: Outgoing): Promise<void> {
  const output = outgoing.respond(head.status, headersOf(head));
  sendHead(output);
  try {
    for await (const chunk of stream) {
      if (outgoing.isClosed()) return;
      await write(output, chunk, outgoing);
    }
    output.end();
  } catch {
    outgoing.abort();
  }
}

/** The client waits for the head before anything has happened. HTTP/2 sends it at once. */
function sendHead(output: Writable): void {
  if ("flushHeaders" in output) (output as { flushHeaders(): void }).flushHeaders();
}

const WATCH_CHUNK_BYTES = 256 * 1024;
const NEWLINE = Buffer.from("\n");

type WatchResponse = Extract<ApiResponse, { type: "watch" }>;

async function sendWatch({ events, isFramed, ...head }: WatchResponse, outgoing: Outgoing): Promise<void> {
  outgoing.onClose(() => events.close());
  events.onCutOff = () => outgoing.abort();
  const output = outgoing.respond(200, headersOf(head));
  sendHead(output);
  try {
    for (;;) {
      const frames = await events.next();
      if (frames === undefined || outgoing.isClosed()) break;
      for (const chunk of pieces(frames, isFramed ? NO_BYTES : NEWLINE)) await write(output, chunk, outgoing);
    }
    output.end();
  } catch {
    outgoing.abort();
  } finally {
    events.close();
  }
}

/** What happened together goes out together, in pieces of a size that a slow client can be waited for. */
function* pieces(frames: readonly WatchFrame[], ending: Uint8Array): Iterable<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for (const frame of frames) {
    const bytes = frame.bytes();
    parts.push(bytes, ending);
    length += bytes.length + ending.length;
    if (length < WATCH_CHUNK_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    length = 0;
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

/** A failure outside the handler: authentication, or the body. After the head has gone the connection is cut instead. */
export function sendError(error: unknown, outgoing: Outgoing, env: Env): void {
  if (!(error instanceof ApiError)) env.log.error("a request failed", { error });
  if (outgoing.hasResponded()) {
    outgoing.abort();
    return;
  }
  const known =
    error instanceof ApiError
      ? error
      : new ApiError("InternalError", `Internal error occurred: ${(error as Error).message}`);
  const body = Buffer.from(JSON.stringify(known.toStatus()));
  outgoing
    .respond(known.code, { ...COMMON_HEADERS, "content-type": "application/json", "content-length": body.length })
    .end(body);
}
