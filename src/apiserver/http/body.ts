import type { Readable } from "node:stream";
import { ApiError } from "../../machinery/errors.ts";

/** Source: apiserver server/config.go, MaxRequestBodyBytes. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** Source: api/errors NewRequestEntityTooLargeError. */
const tooLarge = () => new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_BYTES_MAX}`);

/** Reading the body is part of the request's time. Source: kube-apiserver --request-timeout. */
const BODY_WITHIN_MS = 60_000;

/** Source: server/filters/timeout.go. */
const tooSlow = () =>
  new ApiError("Timeout", "Timeout: request did not complete within the allotted timeout", { details: {} });

/**
 * The whole body. By events rather than by iteration, which costs more and would break the stream off before the
 * refusal of a body that is too large can be sent on it.
 * @throws ApiError 413 as soon as the limit is passed, 504 when it takes too long
 */
export function readBody(
  body: Readable,
  headers: Readonly<Record<string, string>>,
  withinMs = BODY_WITHIN_MS,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooSlow()), withinMs);
    const chunks: Uint8Array[] = [];
    let length = 0;
    if (Number(headers["content-length"] ?? 0) > BODY_BYTES_MAX) reject(tooLarge());
    body.on("data", (chunk: Uint8Array) => {
      length += chunk.length;
      if (length <= BODY_BYTES_MAX) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge());
      }
    });
    body.once("end", () => {
      clearTimeout(timer);
      resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks));
    });
    body.once("error", reject);
    body.once("close", () => {
      clearTimeout(timer);
      if (!body.readableEnded) reject(new ApiError("BadRequest", "the request ended before its body did"));
    });
  });
}
