/** What the handling of one request works with. */
import type { Env } from "../lib/env.ts";
import type { ApiRequest, UserInfo } from "../machinery/requests.ts";
import type { Admission } from "./admission/chain.ts";
import type { Authorizer } from "./auth/authorizer.ts";
import type { Codecs } from "./codecs.ts";
import type { Reader } from "./reader.ts";
import type { RequestInfo } from "./requestInfo.ts";
import type { Resource, Resources } from "./resources.ts";
import type { History } from "./store/history.ts";
import type { Tokens } from "./tokens.ts";
import type { FieldManagers } from "./write/fieldManagers.ts";
import type { WriteHooks } from "./write/hooks.ts";

/** What the whole server shares. */
export interface Server {
  readonly env: Env;
  readonly history: History;
  readonly resources: Resources;
  readonly admission: Admission;
  readonly codecs: Codecs;
  readonly hooks: WriteHooks;
  readonly fieldManagers: FieldManagers;
  readonly reader: Reader;
  readonly authorize: Authorizer;
  /** Absent where nobody signs tokens. */
  readonly tokens: Tokens | undefined;
}

/** One request for objects of one resource. */
export interface ResourceRequest {
  readonly server: Server;
  readonly request: ApiRequest;
  readonly info: RequestInfo;
  readonly resource: Resource;
  readonly user: UserInfo;
  /** Remarks for the `Warning` headers of the response. */
  readonly warnings: string[];
}
