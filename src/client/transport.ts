/**
 * How a client reaches the API: `direct` (same process; objects pass by reference, deterministic) or `https` (TCP or
 * Unix socket, client certificate or token). Both speak `ApiRequest` and pass one shared suite.
 */

import type { KubeObject, WatchEvent } from "../machinery/object.ts";
import type { ApiRequest } from "../machinery/requests.ts";

export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON, or text for other content types. Immutable. */
  readonly body: unknown;
}

export interface Transport {
  /** @throws ApiError for every status of 400 and above; for a connection that failed, the system's error. */
  request(request: ApiRequest): Promise<TransportResponse>;
  /**
   * Opens a watch. Batches come in order; the iteration ends when the server ends the watch or `signal` aborts.
   * @throws ApiError (410 `Expired`, …) from the iteration, too.
   */
  watch(request: ApiRequest): Promise<AsyncIterable<readonly WatchEvent<KubeObject>[]>>;
  /** Bytes over time, for logs. */
  stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>>;
  /** Closes what it keeps open. */
  close(): Promise<void>;
}
