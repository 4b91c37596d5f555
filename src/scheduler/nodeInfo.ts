/** One node with the pods on it and the sums of what they ask for, kept up to date by adding and subtracting. */
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { addResources, amountOf, podResources, type Resources } from "./podResources.ts";

/** "0.0.0.0/TCP/80" */
export type HostPort = string;

export interface NodeInfo {
  readonly node: Node;
  readonly name: string;
  readonly allocatable: Resources;
  readonly requested: Resources;
  /** With something counted for pods that ask for nothing; for scores. */
  readonly nonZeroRequested: Resources;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly hostPorts: ReadonlyMap<HostPort, number>;
  /** Those of its pods that want to be near other pods, or far from them. */
  readonly withAffinity: ReadonlyMap<string, Pod>;
  /** Bytes by name of the image. */
  readonly images: ReadonlyMap<string, number>;
  /** What has been found out about its pods, until they change. */
  readonly memo: Map<string, number>;
  /** One to try things out on. */
  copy(): MutableNodeInfo;
}

export class MutableNodeInfo implements NodeInfo {
  readonly name: string;
  node: Node;
  allocatable: Resources = {};
  readonly requested: Record<string, number> = {};
  readonly nonZeroRequested: Record<string, number> = {};
  readonly pods = new Map<string, Pod>();
  readonly hostPorts = new Map<HostPort, number>();
  readonly withAffinity = new Map<string, Pod>();
  images: ReadonlyMap<string, number> = new Map();
  readonly memo = new Map<string, number>();

  constructor(node: Node) {
    this.name = node.metadata.name;
    this.node = node;
    this.setNode(node);
  }

  setNode(node: Node): void {
    this.node = node;
    const allocatable = Object.entries(node.status.allocatable ?? {});
    const images = node.status.images ?? [];
    this.images = new Map(images.flatMap(({ names, sizeBytes = 0 }) => (names ?? []).map((name) => [name, sizeBytes])));
    this.allocatable = Object.fromEntries(allocatable.map(([name, quantity]) => [name, amountOf(name, quantity)]));
  }

  copy(): MutableNodeInfo {
    const copy = new MutableNodeInfo(this.node);
    for (const pod of this.pods.values()) copy.addPod(pod);
    return copy;
  }

  addPod(pod: Pod): void {
    this.removePod(pod.metadata.uid);
    this.pods.set(pod.metadata.uid, pod);
    const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
    if (podAffinity !== undefined || podAntiAffinity !== undefined) this.withAffinity.set(pod.metadata.uid, pod);
    this.#count(pod, 1);
  }

  removePod(uid: string): void {
    const pod = this.pods.get(uid);
    if (pod === undefined) return;
    this.pods.delete(uid);
    this.withAffinity.delete(uid);
    this.#count(pod, -1);
  }

  #count(pod: Pod, sign: 1 | -1): void {
    this.memo.clear();
    const { requested, nonZero } = podResources(pod);
    addResources(this.requested, requested, sign);
    addResources(this.nonZeroRequested, nonZero, sign);
    for (const port of hostPortsOf(pod)) {
      const count = (this.hostPorts.get(port) ?? 0) + sign;
      if (count > 0) this.hostPorts.set(port, count);
      else this.hostPorts.delete(port);
    }
  }
}

export const ANY_ADDRESS = "0.0.0.0";

/** Of containers that run as long as the pod. Source: scheduler/util, GetHostPorts. */
export const hostPortsOf = ({ spec }: Pod): HostPort[] =>
  [
    ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always"),
    ...spec.containers,
  ].flatMap(({ ports }) =>
    (ports ?? [])
      .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
      .map(({ hostIP, protocol, hostPort }) => `${hostIP || ANY_ADDRESS}/${protocol ?? "TCP"}/${hostPort}`),
  );
