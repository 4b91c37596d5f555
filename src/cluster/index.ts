/**
 * skiff as a library.
 *
 *     import { deployment, startCluster } from "skiff";
 *     await using cluster = await startCluster({ clock: "virtual", seed: "one" });
 *     await cluster.client.create(deployment, { … });
 *     await cluster.advance(5 * 60_000);
 */
import "./requiredNode.ts";

export * from "../api/index.ts";
export type {
  Client,
  DeleteOptions,
  ListOptions,
  PatchType,
  Target,
  WatchOptions,
  WriteOptions,
} from "../client/client.ts";
export type { Clock, Env, Log, Random } from "../lib/env.ts";
export type { KindDefinition } from "../machinery/defineKind.ts";
export { ApiError, isApiError } from "../machinery/errors.ts";
export type { Draft, KubeList, KubeObject, WatchEvent } from "../machinery/object.ts";
export type { UserInfo } from "../machinery/requests.ts";
export type { SimulatedNodeOptions } from "./simulatedNodes.ts";
export { type Cluster, type StartClusterOptions, startCluster } from "./startCluster.ts";
