/** What comes back through the proxy, with its links led below the proxy's path. */
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream";
import { createDeflate, createGzip, createInflate, createUnzip } from "node:zlib";
import type { ApiResponse } from "../../machinery/requests.ts";
import { endToEndHeaders } from "./httpOverConnection.ts";
import { type LinkBase, linkBelow, pageBelow } from "./linksBelow.ts";

/** Pages are read whole before they are changed; a longer one is passed on as it is. Ours: upstream has no limit. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

/** Node's way to undo and to do again what a page was encoded with. Source: transport.go, rewriteResponse. */
const CODINGS = {
  gzip: { decoder: createUnzip, encoder: createGzip },
  deflate: { decoder: createInflate, encoder: createDeflate },
} as const;

export function answerBelow(base: LinkBase, method: string, answer: IncomingMessage): ApiResponse {
  const { "content-type": contentType = "", location, ...others } = endToEndHeaders(answer.headers);
  const common = { type: "stream", status: answer.statusCode ?? 502, contentType: `${contentType}` } as const;
  // As upstream: what sends the client elsewhere is no page.
  if (location !== undefined)
    return { ...common, headers: { ...others, location: linkBelow(base, `${location}`) }, stream: answer };
  const coding = others["content-encoding"];
  const isPage = `${contentType}`.split(";", 1)[0]?.trim() === "text/html" && method !== "HEAD";
  const isReadable = coding === undefined || coding === "gzip" || coding === "deflate";
  if (!isPage || !isReadable || Number(others["content-length"] ?? 0) > PAGE_BYTES_MAX)
    return { ...common, headers: others, stream: answer };
  const { "content-length": _, ...headers } = others;
  if (coding === undefined) return { ...common, headers, stream: changedPage(base, answer) };
  const { decoder, encoder } = CODINGS[coding];
  const page = pipeline(answer, decoder(), nobodyIsTold);
  return { ...common, headers, stream: pipeline(changedPage(base, page), encoder(), nobodyIsTold) };
}

/** Who reads the last of them hears of failures. */
const nobodyIsTold = () => undefined;

/** Latin-1 leaves every byte as it was: marks and links' beginnings are ASCII. */
async function* changedPage(base: LinkBase, page: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of page) {
    if (length > PAGE_BYTES_MAX) {
      yield chunk;
      continue;
    }
    chunks.push(chunk);
    length += chunk.length;
    if (length > PAGE_BYTES_MAX) yield* chunks;
  }
  if (length <= PAGE_BYTES_MAX) yield Buffer.from(pageBelow(base, Buffer.concat(chunks).toString("latin1")), "latin1");
}
