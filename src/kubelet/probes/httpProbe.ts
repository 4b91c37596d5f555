/**
 * One HTTP GET over a connection that somebody else makes: just enough of HTTP/1.1 for a probe, so that it needs no
 * agent, no pool and no clock of its own. Source of the rules: pkg/probe/http.
 */
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import type { Clock } from "../../lib/env.ts";
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

type Connect = (signal: AbortSignal) => Promise<Duplex>;

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
  const body = bytes.subarray(end + 4);
  const length = Number(headers.get("content-length") ?? Number.NaN);
  const isChunkEnd = headers.get("transfer-encoding")?.includes("chunked") === true && body.includes("0\r\n\r\n");
  const isWhole =
    isEnd || isChunkEnd || body.length >= Math.min(length, BODY_MAX_BYTES) || body.length >= BODY_MAX_BYTES;
  if (!isWhole) return undefined;
  const text = body.subarray(0, BODY_MAX_BYTES).toString("utf8");
  return { status: Number(match[1]), location: headers.get("location"), body: text };
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
    stream.on("error", reject);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    stream.write(request);
  });
}

/** Certificates are not checked, as upstream does not. */
function secured(stream: Duplex, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const secure = tlsConnect({ socket: stream, rejectUnauthorized: false }, () => resolve(secure));
    secure.on("error", reject);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function outcomeOf({ status, location, body }: Answer, { host }: HttpProbe): ProbeOutcome {
  if (status >= 200 && status < 400) {
    const elsewhere = location !== undefined && /^https?:\/\//.test(location) && !location.includes(`//${host}`);
    if (status >= 300 && elsewhere) {
      return { verdict: "Warning", message: `Probe terminated redirects, Response body: ${body}` };
    }
    return { verdict: "Success", message: body };
  }
  return { verdict: "Failure", message: `HTTP probe failed with statuscode: ${status}` };
}

export async function httpProbe(clock: Clock, connect: Connect, probe: HttpProbe): Promise<ProbeOutcome> {
  const { scheme, host, port, path } = probe;
  const url = `${scheme.toLowerCase()}://${host.includes(":") ? `[${host}]` : host}:${port}${path.startsWith("/") ? path : `/${path}`}`;
  try {
    return await withTimeout(clock, probe.timeoutMs, async (signal) => {
      const raw = await connect(signal);
      raw.on("error", () => undefined);
      try {
        const stream = scheme === "HTTPS" ? await secured(raw, signal) : raw;
        return outcomeOf(await exchange(stream, requestText(probe), signal), probe);
      } finally {
        raw.destroy();
      }
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { verdict: "Failure", message: `Get "${url}": ${why}` };
  }
}
