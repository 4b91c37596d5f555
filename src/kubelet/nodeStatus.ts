/** The Node object of this node. Source: kubelet kubelet_node_status.go, nodestatus/setters.go. */
import type {
  ContainerImage,
  Node,
  NodeAddress,
  NodeCondition,
  NodeSystemInfo,
  Taint,
} from "../api/generated/core-v1.ts";
import { type Draft, timestamp } from "../machinery/object.ts";
import { formatQuantity, quantityOf } from "../machinery/quantity.ts";
import type { ImageStatus } from "./runtime.ts";

/** What the kubelet is told of the machine and of its place in the cluster. */
export interface NodeFacts {
  readonly addresses: readonly NodeAddress[];
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  /** Kept from pods. */
  readonly reserved?: { readonly cpuMilli?: number; readonly memoryBytes?: number };
  /** 110 where not given. */
  readonly podsMax?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Set at registration. */
  readonly taints?: readonly Taint[];
  /** Port of the kubelet's HTTPS server. */
  readonly kubeletPort?: number;
  readonly providerId?: string;
  readonly podCidr?: string;
  /** amd64, arm64 */
  readonly architecture: string;
  readonly systemInfo?: Partial<NodeSystemInfo>;
}

/** Source: kubelet config MaxPods; images in the status: nodeStatusMaxImages; names of one: MaxNamesPerImageInNodeStatus. */
const PODS_MAX = 110;
const IMAGES_MAX = 50;
const NAMES_PER_IMAGE_MAX = 5;
const KUBELET_PORT = 10_250;

export const nodeCapacity = (facts: NodeFacts): Readonly<Record<string, string>> => ({
  cpu: `${facts.cpus}`,
  "ephemeral-storage": formatQuantity(quantityOf(Math.floor(facts.ephemeralStorageBytes / 1024) * 1024, "BinarySI")),
  "hugepages-1Gi": "0",
  "hugepages-2Mi": "0",
  memory: formatQuantity(quantityOf(Math.floor(facts.memoryBytes / 1024) * 1024, "BinarySI")),
  pods: `${facts.podsMax ?? PODS_MAX}`,
});

export function nodeAllocatable(facts: NodeFacts): Readonly<Record<string, string>> {
  const { cpuMilli = 0, memoryBytes = 0 } = facts.reserved ?? {};
  const milli = facts.cpus * 1000 - cpuMilli;
  const left = Math.floor((facts.memoryBytes - memoryBytes) / 1024) * 1024;
  return {
    ...nodeCapacity(facts),
    cpu: milli % 1000 === 0 ? `${milli / 1000}` : `${milli}m`,
    memory: formatQuantity(quantityOf(left, "BinarySI")),
  };
}

export const nodeLabels = (
  nodeName: string,
  { architecture, labels }: NodeFacts,
): Readonly<Record<string, string>> => ({
  "beta.kubernetes.io/arch": architecture,
  "beta.kubernetes.io/os": "linux",
  "kubernetes.io/arch": architecture,
  "kubernetes.io/hostname": nodeName,
  "kubernetes.io/os": "linux",
  ...labels,
});

export const initialNode = (nodeName: string, facts: NodeFacts): Draft<Node> => ({
  metadata: {
    name: nodeName,
    labels: nodeLabels(nodeName, facts),
    annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
  },
  spec: {
    ...(facts.taints !== undefined && facts.taints.length > 0 && { taints: facts.taints }),
    ...(facts.providerId !== undefined && { providerID: facts.providerId }),
    ...(facts.podCidr !== undefined && { podCIDR: facts.podCidr, podCIDRs: [facts.podCidr] }),
  },
});

interface Finding {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** Nothing here measures pressure yet, so there is none. */
const PRESSURES: readonly Finding[] = [
  {
    type: "MemoryPressure",
    status: "False",
    reason: "KubeletHasSufficientMemory",
    message: "kubelet has sufficient memory available",
  },
  {
    type: "DiskPressure",
    status: "False",
    reason: "KubeletHasNoDiskPressure",
    message: "kubelet has no disk pressure",
  },
  {
    type: "PIDPressure",
    status: "False",
    reason: "KubeletHasSufficientPID",
    message: "kubelet has sufficient PID available",
  },
];

const READY: Finding = {
  type: "Ready",
  status: "True",
  reason: "KubeletReady",
  message: "kubelet is posting ready status",
};

const notReady = (message: string): Finding => ({ type: "Ready", status: "False", reason: "KubeletNotReady", message });

export function nodeConditions(
  previous: readonly NodeCondition[],
  nowMs: number,
  unreadyBecause: string | undefined,
): readonly NodeCondition[] {
  const findings = [...PRESSURES, unreadyBecause === undefined ? READY : notReady(unreadyBecause)];
  const now = timestamp(nowMs);
  const own = findings.map((finding): NodeCondition => {
    const before = previous.find(({ type }) => type === finding.type);
    const since = before?.status === finding.status ? before.lastTransitionTime : undefined;
    return { ...finding, lastHeartbeatTime: now, lastTransitionTime: since ?? now };
  });
  const others = previous.filter(({ type }) => !findings.some((finding) => finding.type === type));
  return [...others, ...own];
}

/** The largest, with their digests before their tags. */
export const nodeImages = (images: readonly ImageStatus[]): readonly ContainerImage[] =>
  images
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, IMAGES_MAX)
    .map(({ repoDigests, repoTags, sizeBytes }) => ({
      names: [...repoDigests, ...repoTags].slice(0, NAMES_PER_IMAGE_MAX),
      sizeBytes,
    }));

export interface NodeStatusInput {
  readonly facts: NodeFacts;
  readonly previous: Node["status"];
  readonly images: readonly ImageStatus[];
  readonly runtimeVersion: string;
  readonly kubeletVersion: string;
  readonly nowMs: number;
  readonly unreadyBecause: string | undefined;
}

export function nodeStatus(input: NodeStatusInput): Node["status"] {
  const { facts, previous, nowMs, unreadyBecause } = input;
  return {
    addresses: facts.addresses,
    capacity: nodeCapacity(facts),
    allocatable: nodeAllocatable(facts),
    conditions: nodeConditions(previous?.conditions ?? [], nowMs, unreadyBecause),
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort ?? KUBELET_PORT } },
    images: nodeImages(input.images),
    nodeInfo: {
      architecture: facts.architecture,
      bootID: "",
      containerRuntimeVersion: input.runtimeVersion,
      kernelVersion: "",
      kubeProxyVersion: "",
      kubeletVersion: input.kubeletVersion,
      machineID: "",
      operatingSystem: "linux",
      osImage: "",
      systemUUID: "",
      ...facts.systemInfo,
    },
  };
}
