/**
 * One HTTP GET over a connection that somebody else makes: just enough of HTTP/1.1 for a probe, so that it needs no
 * agent, no pool and no clock of its own. Source of the rules: pkg/probe/http.
 */
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import type { Clock } from "../../lib/env.ts";
import { readFailure } from "../dial.ts";
import type { ProbeOutcome } from "./probeOutcome.ts";
import { withTimeout } from "./withTimeout.ts";

export interface HttpProbe {
  readonly scheme: "HTTP" | "HTTPS";
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value?: string }[];
  readonly timeoutMs: number;
  readonly userAgent?: string;
}

/** Bytes of the answer that are looked at. Source: pkg/probe/http maxRespBodyLength. */
const BODY_MAX_BYTES = 10 * 1024;
const HEAD_MAX_BYTES = 64 * 1024;
const USER_AGENT = "kube-probe/1.36";

/** Source: net/http defaultCheckRedirect, which pkg/probe/http takes over. */
const REDIRECTS_MAX = 10;

/** A redirect may lead to another port of the same host. */
type Connect = (port: number, signal: AbortSignal) => Promise<Duplex>;

function requestText({ host, port, path, headers, userAgent }: HttpProbe): string {
  const lines = new Map([
    ["host", `Host: ${host.includes(":") ? `[${host}]` : host}:${port}`],
    ["user-agent", `User-Agent: ${userAgent ?? USER_AGENT}`],
    ["accept", "Accept: */*"],
    ["connection", "Connection: close"],
  ]);
  const extra: string[] = [];
  for (const { name, value = "" } of headers) {
    const key = name.toLowerCase();
    // An empty User-Agent or Accept leaves the header out.
    if ((key === "user-agent" || key === "accept") && value === "") lines.delete(key);
    else if (lines.has(key)) lines.set(key, `${name}: ${value}`);
    else extra.push(`${name}: ${value}`);
  }
  const target = path.startsWith("/") ? path : `/${path}`;
  return `GET ${target} HTTP/1.1\r\n${[...lines.values(), ...extra].join("\r\n")}\r\n\r\n`;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

/** The data of the chunks that have come so far, and whether the last one has. */
function unchunked(body: Buffer): { readonly data: Buffer; readonly isWhole: boolean } {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf("\r\n", at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(body.toString("latin1", at, lineEnd), 16);
    const start = lineEnd + 2;
    if (Number.isNaN(size) || size === 0) return { data: Buffer.concat(parts), isWhole: size === 0 };
    parts.push(body.subarray(start, start + size));
    if (body.length < start + size) return { data: Buffer.concat(parts), isWhole: false };
    at = start + size + 2;
  }
}

function parseAnswer(bytes: Buffer, isEnd: boolean): Answer | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) {
    if (isEnd || bytes.length > HEAD_MAX_BYTES) throw new Error(bytes.length === 0 ? "EOF" : "malformed HTTP response");
    return undefined;
  }
  const [statusLine = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(statusLine);
  if (match === null) throw new Error(`malformed HTTP response "${statusLine}"`);
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const raw = bytes.subarray(end + 4);
  const isChunked = headers.get("transfer-encoding")?.includes("chunked") === true;
  const length = Number(headers.get("content-length") ?? Number.NaN);
  const { data, isWhole } = isChunked ? unchunked(raw) : { data: raw, isWhole: raw.length >= length };
  if (!isEnd && !isWhole && data.length < BODY_MAX_BYTES) return undefined;
  const body = data.subarray(0, BODY_MAX_BYTES).toString("utf8");
  return { status: Number(match[1]), location: headers.get("location"), body };
}

function exchange(stream: Duplex, request: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const take = (isEnd: boolean) => {
      try {
        const answer = parseAnswer(received, isEnd);
        if (answer !== undefined) resolve(answer);
      } catch (error) {
        reject(error);
      }
    };
    stream.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      take(false);
    });
    stream.on("end", () => take(true));
    stream.on("close", () => take(true));
    stream.on("error", (cause) => reject(new Error(readFailure(stream, cause), { cause })));
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    stream.write(request);
  });
}

/** OpenSSL's word for a peer that does not speak TLS, and Go's. Source: go net/http transport.go. */
const NOT_TLS = "ERR_SSL_WRONG_VERSION_NUMBER";
const PLAIN_ANSWER_TEXT = "http: server gave HTTP response to HTTPS client";

/** Certificates are not checked, as upstream does not. */
function secured(stream: Duplex, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const secure = tlsConnect({ socket: stream, rejectUnauthorized: false }, () => resolve(secure));
    secure.on("error", (cause: NodeJS.ErrnoException) =>
      reject(new Error(cause.code === NOT_TLS ? PLAIN_ANSWER_TEXT : readFailure(stream, cause), { cause })),
    );
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

const urlOf = ({ scheme, host, port, path }: HttpProbe): string =>
  `${scheme.toLowerCase()}://${host.includes(":") ? `[${host}]` : host}:${port}${path.startsWith("/") ? path : `/${path}`}`;

/** Where the answer sends us, if that is on the same host; "elsewhere" otherwise. */
function redirected({ status, location }: Answer, probe: HttpProbe): HttpProbe | "elsewhere" | undefined {
  if (status < 300 || status >= 400 || location === undefined || location === "") return undefined;
  const url = new URL(location, urlOf(probe));
  const scheme = url.protocol === "https:" ? "HTTPS" : "HTTP";
  if (url.hostname !== probe.host && url.hostname !== `[${probe.host}]`) return "elsewhere";
  const port = url.port === "" ? (scheme === "HTTPS" ? 443 : 80) : Number(url.port);
  return { ...probe, scheme, port, path: `${url.pathname}${url.search}` };
}

async function once(connect: Connect, probe: HttpProbe, signal: AbortSignal): Promise<Answer> {
  const raw = await connect(probe.port, signal);
  raw.on("error", () => undefined);
  try {
    const stream = probe.scheme === "HTTPS" ? await secured(raw, signal) : raw;
    return await exchange(stream, requestText(probe), signal);
  } finally {
    raw.destroy();
  }
}

async function follow(connect: Connect, probe: HttpProbe, signal: AbortSignal): Promise<ProbeOutcome> {
  let at = probe;
  for (let count = 0; ; count += 1) {
    const answer = await once(connect, at, signal);
    const next = redirected(answer, at);
    if (next === "elsewhere") {
      return { verdict: "Warning", message: `Probe terminated redirects, Response body: ${answer.body}` };
    }
    if (next === undefined) {
      const { status, body } = answer;
      if (status >= 200 && status < 400) return { verdict: "Success", message: body };
      return { verdict: "Failure", message: `HTTP probe failed with statuscode: ${status}` };
    }
    if (count === REDIRECTS_MAX) throw new Error(`stopped after ${REDIRECTS_MAX} redirects`);
    at = next;
  }
}

/** Never rejects: what goes wrong is a failure that says why. */
export async function httpProbe(clock: Clock, connect: Connect, probe: HttpProbe): Promise<ProbeOutcome> {
  try {
    return await withTimeout(clock, probe.timeoutMs, (signal) => follow(connect, probe, signal));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { verdict: "Failure", message: `Get "${urlOf(probe)}": ${why}` };
  }
}
