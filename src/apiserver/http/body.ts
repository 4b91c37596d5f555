import { ApiError } from "../../machinery/errors.ts";

/** Source: apiserver server/config.go, MaxRequestBodyBytes. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

const tooLarge = () => new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_BYTES_MAX}`);

/** The whole body. @throws ApiError 413 as soon as the limit is passed */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  headers: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  if (Number(headers["content-length"] ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}
