/** What this machine is, as a node's status tells it. */
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import type { NodeFacts } from "../kubelet/nodeStatus.ts";

const firstLine = (path: string) => (existsSync(path) ? (readFileSync(path, "utf8").split("\n")[0] ?? "").trim() : "");

const osImage = (): string => {
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] ?? "Linux";
};

/** Go's names, which Kubernetes uses. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Source: kubeadm constants, LabelNodeRoleControlPlane. kind sets the same, and takes the taint off single nodes. */
export const CONTROL_PLANE_LABELS = {
  "node-role.kubernetes.io/control-plane": "",
  "node.kubernetes.io/exclude-from-external-load-balancers": "",
};

export interface NodeFactsInput {
  readonly node: string;
  readonly nodeIP: string;
  readonly podCidr: string;
  readonly isControlPlane: boolean;
  readonly dataDirectory: string;
}

export function readNodeFacts(input: NodeFactsInput): NodeFacts {
  const disk = statfsSync(input.dataDirectory);
  return {
    addresses: [
      { type: "InternalIP", address: input.nodeIP },
      { type: "Hostname", address: input.node },
    ],
    cpus: cpus().length,
    memoryBytes: totalmem(),
    ephemeralStorageBytes: disk.blocks * disk.bsize,
    podCidr: input.podCidr,
    architecture: ARCHITECTURES[arch()] ?? arch(),
    ...(input.isControlPlane && { labels: CONTROL_PLANE_LABELS }),
    systemInfo: {
      bootID: firstLine("/proc/sys/kernel/random/boot_id"),
      machineID: firstLine("/etc/machine-id"),
      systemUUID: firstLine("/etc/machine-id"),
      kernelVersion: release(),
      osImage: osImage(),
    },
  };
}
