import { ApiError, type Status } from "../../machinery/errors.ts";
import type { KubeObject, WatchEvent } from "../../machinery/object.ts";
import type { ApiHandler, ApiRequest, ApiResponse, UserInfo, WatchStream } from "../../machinery/requests.ts";
import type { Transport, TransportResponse } from "../transport.ts";

/** Calls the API within the process, as `user`. Objects pass by reference; nothing is encoded. */
export function directTransport(handle: ApiHandler, user: UserInfo): Transport {
  const send = async (request: ApiRequest): Promise<ApiResponse> => {
    request.signal?.throwIfAborted();
    const response = await handle(request, user);
    if (response.status >= 400) throw errorOf(response);
    return response;
  };
  return {
    request: async (request) => responseOf(await send(request)),
    watch: async (request) => {
      const response = await send(request);
      if (response.type !== "watch") throw new Error(`${request.path} did not answer with a watch`);
      return eventsOf(response.events, request.signal);
    },
    stream: async (request) => {
      const response = await send(request);
      return response.type === "stream" ? response.stream : single(await bytesOf(response));
    },
    close: async () => undefined,
  };
}

function errorOf(response: ApiResponse): ApiError {
  if (response.type === "object") return ApiError.fromStatus(response.object as Status, response.status);
  const text = response.type === "bytes" ? Buffer.from(response.bytes).toString() : "";
  return response.status === 404
    ? new ApiError("NotFound", "the server could not find the requested resource")
    : new ApiError("", text, { code: response.status });
}

async function responseOf(response: ApiResponse): Promise<TransportResponse> {
  if (response.type === "object")
    return { status: response.status, headers: response.headers ?? {}, body: response.object };
  if (response.type === "watch") throw new Error("a watch was asked for as a plain request");
  const text = Buffer.from(await bytesOf(response)).toString();
  const isJson = response.contentType.startsWith("application/json");
  const headers = Object.fromEntries(Object.entries(response.headers ?? {}).map(([name, value]) => [name, `${value}`]));
  return { status: response.status, headers, body: isJson ? JSON.parse(text) : text };
}

async function bytesOf(response: ApiResponse): Promise<Uint8Array> {
  if (response.type === "bytes") return response.bytes;
  if (response.type === "stream") return Buffer.concat(await Array.fromAsync(response.stream));
  if (response.type === "watch") throw new Error("a watch has no bytes of its own");
  const bytes = response.bytes();
  return bytes instanceof Uint8Array ? bytes : Buffer.concat([...bytes]);
}

async function* single(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

async function* eventsOf(
  stream: WatchStream,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly WatchEvent<KubeObject>[]> {
  const abort = () => stream.close();
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    for (;;) {
      const frames = await stream.next();
      if (frames === undefined) return;
      const failed = frames.findIndex(({ type }) => type === "ERROR");
      if (failed < 0) yield frames as readonly WatchEvent<KubeObject>[];
      else {
        if (failed > 0) yield frames.slice(0, failed) as readonly WatchEvent<KubeObject>[];
        throw ApiError.fromStatus(frames[failed]?.object as Status, 500);
      }
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    stream.close();
  }
}
