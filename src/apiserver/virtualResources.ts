/** What is served under a resource's path but never stored: access reviews, token reviews, bindings. */
import type { ApiRequest, ApiResponse, UserInfo } from "../machinery/requests.ts";
import type { Server } from "./context.ts";
import type { RequestInfo } from "./requestInfo.ts";

export interface VirtualCall {
  readonly server: Server;
  readonly request: ApiRequest;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly warnings: string[];
}

export interface VirtualResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  /** Of its objects in the type table. */
  readonly type: string;
  /** POST is all that they know. */
  readonly create: (call: VirtualCall) => Promise<ApiResponse>;
}
