/** What a node's agent is told by the control plane that starts it: a file, because it is started again by others. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Pod } from "../api/generated/core-v1.ts";
import type { NodeEnvironment } from "../kubelet/nodeEnvironment/nodeEnvironment.ts";
import type { KeyPair } from "../pki/certificates.ts";

export interface AgentConfig {
  readonly cluster: string;
  readonly node: string;
  readonly nodeIP: string;
  readonly podCidr: string;
  readonly clusterPodCidr: string;
  readonly clusterDns: string;
  readonly isControlPlane: boolean;
  /** The API server's Unix socket; it crosses network namespaces. */
  readonly apiSocket: string;
  /** Unix socket of the control plane's components. */
  readonly componentsSocket: string;
  /** Unix socket of the relay to resolvers that only the machine itself reaches. */
  readonly resolverSocket: string;
  /** The control plane's, on its node. */
  readonly staticPods: readonly Pod[];
  /** Where the agent offers the API to its pods. */
  readonly apiPort: number;
  readonly rootCa: string;
  readonly identity: KeyPair;
  readonly agentSocket: string;
  readonly processRecord: string;
  readonly dataDirectory: string;
  readonly runDirectory: string;
  readonly imagesDirectory: string;
  /** Full paths. */
  readonly ociRuntime: string;
  readonly conmon: string;
  readonly environment: NodeEnvironment;
}

/** Holds a key, so only root reads it. */
export const writeAgentConfig = (path: string, config: AgentConfig): void =>
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });

export const readAgentConfig = (path: string): AgentConfig => JSON.parse(readFileSync(path, "utf8")) as AgentConfig;
