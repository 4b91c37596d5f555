import type { Client } from "../client/client.ts";
import type { SharedInformers } from "../client/sharedInformers.ts";
import type { Env } from "../lib/env.ts";

/** What every controller is given. */
export interface ControllerContext {
  readonly env: Env;
  readonly client: Client;
  readonly informers: SharedInformers;
}
