/** What a cluster was made with. Written once, by the first `skiff up`; later ones read it. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { ClusterPaths } from "./paths.ts";
import { typedCommand } from "./typedCommand.ts";
import { UserError } from "./userError.ts";

export type RuntimeName = "oci" | "simulated";

export interface ClusterConfig {
  readonly version: 1;
  readonly name: string;
  readonly nodes: readonly string[];
  readonly runtime: RuntimeName;
  /** "crun" or "runc"; absent with simulated containers. */
  readonly ociRuntime?: string;
  readonly apiPort: number;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDns: string;
  /** The cluster's number on this machine: its link addresses derive from it. */
  readonly index: number;
}

/** Source: kubeadm and kind defaults. */
export const POD_CIDR = "10.244.0.0/16";
export const SERVICE_CIDR = "10.96.0.0/16";
export const CLUSTER_DNS = "10.96.0.10";
export const NODES_MAX = 50;
/** Interface and cgroup names derive from it; kind takes the same characters. */
const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const NAME_LENGTH_MAX = 40;

/** Names as kind gives them: the first node is the control plane. */
export const nodeNames = (cluster: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) =>
    index === 0 ? `${cluster}-control-plane` : index === 1 ? `${cluster}-worker` : `${cluster}-worker${index}`,
  );

/** @throws UserError */
export function checkClusterName(name: string): void {
  if (!NAME_PATTERN.test(name) || name.length > NAME_LENGTH_MAX) {
    throw new UserError(
      `"${name}" is not a cluster name: use up to ${NAME_LENGTH_MAX} lower-case letters, digits and '-', beginning and ending with a letter or digit`,
    );
  }
}

/** Undefined when there is no such cluster. @throws UserError when the file is damaged. */
export function readClusterConfig(paths: ClusterPaths): ClusterConfig | undefined {
  if (!existsSync(paths.config)) return undefined;
  try {
    const config = JSON.parse(readFileSync(paths.config, "utf8")) as ClusterConfig;
    if (config.version !== 1 || !Array.isArray(config.nodes)) throw new Error("unknown format");
    return config;
  } catch (cause) {
    throw new UserError(
      `the data directory ${paths.data} is damaged: ${paths.config} cannot be read; ${typedCommand("delete", basename(paths.data))} removes it`,
      { cause },
    );
  }
}

export function writeClusterConfig(paths: ClusterPaths, config: ClusterConfig): void {
  mkdirSync(dirname(paths.config), { recursive: true, mode: 0o700 });
  writeFileSync(`${paths.config}.new`, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${paths.config}.new`, paths.config);
}
