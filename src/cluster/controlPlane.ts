/**
 * The control plane as one value: store, API server, controllers and scheduler joined together, with nothing of a real
 * machine in it. The process behind `skiff up` and the library's in-process clusters differ only in what they pass in.
 */

import { kinds } from "../api/index.ts";
import { schemas } from "../api/schemas.ts";
import { type ApiServer, createApiServer } from "../apiserver/apiserver.ts";
import type { Egress } from "../apiserver/connect/egress.ts";
import { connectSubresources } from "../apiserver/connect/podSubresources.ts";
import { type Client, createClient } from "../client/client.ts";
import { createSharedInformers } from "../client/sharedInformers.ts";
import { directTransport } from "../client/transports/direct.ts";
import { startControllers } from "../controllers/index.ts";
import type { Env } from "../lib/env.ts";
import type { UserInfo } from "../machinery/requests.ts";
import type { TokenSigner } from "../pki/serviceAccountTokens.ts";
import { startScheduler } from "../scheduler/scheduler.ts";
import type { Storage } from "../storage/storage.ts";

export interface ControlPlaneOptions {
  readonly env: Env;
  readonly storage: Storage;
  readonly egress: Egress;
  readonly tokens: TokenSigner;
  readonly caCertificate: string;
  /** Where clients inside the cluster reach the API: the endpoint of the `kubernetes` Service. */
  readonly apiEndpoint?: { readonly ip: string; readonly port: number };
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Addresses for Services of type LoadBalancer; absent: they stay pending. */
  readonly loadBalancerRange?: string;
}

export interface ControlPlane {
  readonly apiServer: ApiServer;
  /** A client in this process, with the given rights. */
  client(user: UserInfo, userAgent: string): Client;
  stop(): Promise<void>;
}

export const ADMIN: UserInfo = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };
const componentUser = (name: string): UserInfo => ({ name: `system:${name}`, groups: ["system:authenticated"] });
