import type { Env } from "../lib/env.ts";
import type { ClusterConfig } from "./clusterConfig.ts";
import type { Nodes } from "./nodes.ts";
import type { ClusterPaths } from "./paths.ts";
import { createRealNodes } from "./realNodes.ts";
import { createSimulatedNodes } from "./simulatedNodes.ts";

export const createNodes = (env: Env, config: ClusterConfig, paths: ClusterPaths): Promise<Nodes> =>
  config.runtime === "oci" ? createRealNodes(env, config, paths) : createSimulatedNodes(env, config, paths);
