/** GET pods/log: streamed from the kubelet. Source: pkg/registry/core/pod/rest/log.go. */
import type { Pod } from "../../api/generated/core-v1.ts";
import { ApiError } from "../../machinery/errors.ts";
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import type { Egress } from "./egress.ts";
import { exchange } from "./httpOverConnection.ts";
import { logQuery } from "./logQuery.ts";
import { containerFor } from "./podConnection.ts";
import { unreachable } from "./unreachable.ts";

/** Bytes of a refusal that are read and shown. */
const REFUSAL_BYTES_MAX = 16_384;

export async function podLog(pod: Pod, request: ApiRequest, egress: Egress): Promise<ApiResponse> {
  const asked = request.query ?? new URLSearchParams();
  const query = logQuery(pod.metadata.name, asked);
  const container = containerFor(pod, asked.get("container"));
  const { nodeName } = pod.spec;
  // No node yet, so nothing has been said yet.
  if (nodeName === undefined || nodeName === "") return text(empty());
  const path = `/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}?${query}`;
  const connection = await egress.kubelet(nodeName).catch(unreachable(nodeName));
  const answer = await exchange(connection, {
    method: "GET",
    path,
    ...(request.signal !== undefined && { signal: request.signal }),
  });
  if (answer.statusCode === 200) return text(answer);
  const message = (await readSome(answer)).trim();
  switch (answer.statusCode) {
    case 400:
      throw new ApiError("BadRequest", message);
    case 404:
      throw new ApiError("NotFound", message);
    default:
      throw new ApiError("InternalError", `Internal error occurred: ${message}`);
  }
}

const text = (stream: AsyncIterable<Uint8Array>): ApiResponse => ({
  type: "stream",
  status: 200,
  contentType: "text/plain",
  stream,
});

async function* empty(): AsyncIterable<Uint8Array> {}

async function readSome(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > REFUSAL_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
