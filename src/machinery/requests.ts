/** Requests to the API as values, so that the same client code runs over HTTPS and inside the process. */
import type { Readable } from "node:stream";

/** Who asks. Source: k8s.io/apiserver authentication/user. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS";
  /** Without the query: "/api/v1/namespaces/default/pods". */
  readonly path: string;
  readonly query?: URLSearchParams;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Raw bytes as they came over the wire, or a value handed over inside the process (never changed, maybe shared). */
  readonly body?: Uint8Array | object;
  /** Of a request that is passed on: its body as it comes, of any length. Then there is no `body`. */
  readonly bodyStream?: Readable;
  /** The query as the client wrote it, for those who pass it on. */
  readonly rawQuery?: string;
  /** Where the client is, if it came over TCP. */
  readonly remoteAddress?: string;
  readonly signal?: AbortSignal;
}

/** What the API answers, in the cheapest form that it has at hand. */
export type ApiResponse =
  /** A parsed, immutable value, and a function that gives its JSON bytes (cached on the object's revision). */
  | {
      readonly type: "object";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly object: object;
      /** Left out: JSON. */
      readonly contentType?: string;
      readonly bytes: () => Uint8Array | Iterable<Uint8Array>;
    }
  /** Text or binary that is not an API object: health, OpenAPI, protobuf. */
  | {
      readonly type: "bytes";
      readonly status: number;
      readonly contentType: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly bytes: Uint8Array;
    }
  /** Bytes that come over time: logs, and what is proxied. */
  | {
      readonly type: "stream";
      readonly status: number;
      /** "": the answer has none. */
      readonly contentType: string;
      /** Several where a header comes several times. */
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly stream: AsyncIterable<Uint8Array>;
    }
  /** A watch: `next` resolves with what happened since (never empty), or undefined at the end. */
  | {
      readonly type: "watch";
      readonly status: 200;
      readonly headers?: Readonly<Record<string, string>>;
      readonly contentType: string;
      /** Each frame says its own length (protobuf); otherwise each is a line. */
      readonly isFramed?: boolean;
      readonly events: WatchStream;
    };

/** One frame of a watch; `bytes` is the JSON line without its newline, or all of a frame with its length. */
export interface WatchFrame {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: object;
  readonly bytes: () => Uint8Array;
}

export interface WatchStream {
  next(): Promise<readonly WatchFrame[] | undefined>;
  close(): void;
  /** Called when the reader is too slow and the watch ends for that: what is being sent should be broken off. */
  onCutOff?: (() => void) | undefined;
}

/** Answers one request for one user. The API server is one of these; so is anything put in front of it. */
export type ApiHandler = (request: ApiRequest, user: UserInfo) => Promise<ApiResponse>;
