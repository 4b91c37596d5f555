/** What the parts of one kubelet share. */
import type { Pod, Service } from "../api/generated/core-v1.ts";
import type { Client } from "../client/client.ts";
import type { Recorder } from "../client/recorder.ts";
import type { Env } from "../lib/env.ts";
import type { Dial } from "./dial.ts";
import type { ClusterNames, ResolvConf } from "./environment/podDns.ts";
import type { Files } from "./files.ts";
import type { ImagePuller } from "./imagePuller.ts";
import type { RuntimePod } from "./podLifecycle/runtimePod.ts";
import type { References } from "./references.ts";
import type { Runtime } from "./runtime.ts";
import type { RuntimeCache } from "./runtimeCache.ts";
import type { PodFolders } from "./volumes/podVolumes.ts";

export interface Directories {
  /** The kubelet's own: pods/<uid>/volumes, …. Upstream: /var/lib/kubelet. */
  readonly root: string;
  /** Upstream: /var/log/pods. */
  readonly podLogs: string;
}

export interface KubeletContext {
  readonly env: Env;
  readonly client: Client;
  readonly recorder: Recorder;
  readonly runtime: Runtime;
  readonly cache: RuntimeCache;
  readonly files: Files;
  readonly images: ImagePuller;
  readonly references: References;
  readonly nodeName: string;
  readonly directories: Directories;
  readonly cluster: ClusterNames;
  readonly nodeResolvConf: ResolvConf;
  /** The node's own hosts file, for pods on its network. */
  readonly nodeHosts: string;
  readonly nodeMemoryBytes: number;
  readonly podPidsMax: number | undefined;
  /** How this node reaches an address; pods with a network of their own are reached through the runtime. */
  readonly dial: Dial;
  /** Pods begin a few at a time, so that of many the first are up early and the last no later. */
  readonly beginTurns: <T>(make: () => Promise<T>) => Promise<T>;
  hostIps(): readonly string[];
  allocatable(): Readonly<Record<string, string>>;
  services(): readonly Service[];
}

/** Where a pod is reached: its own addresses, or the node's. */
export const podIpsOf = ({ hostIps }: Pick<KubeletContext, "hostIps">, pod: Pod, runtimePod: RuntimePod | undefined) =>
  pod.spec.hostNetwork === true ? hostIps() : (runtimePod?.sandboxes[0]?.ips ?? []);

export const podDirectory = ({ directories }: KubeletContext, uid: string): string => `${directories.root}/pods/${uid}`;

/** On one tmpfs for the whole node, for secrets and tokens: a mount for each volume would cost each pod milliseconds. */
export const memoryDirectory = ({ root }: Directories): string => `${root}/memory`;

export const podFolders = (context: KubeletContext, uid: string): PodFolders => ({
  disk: podDirectory(context, uid),
  memory: `${memoryDirectory(context.directories)}/pods/${uid}`,
});

/** "default_web_0b1c…". Source: kuberuntime_container.go BuildPodLogsDirectory. */
export const podLogDirectory = (
  { directories }: Pick<KubeletContext, "directories">,
  pod: { readonly namespace: string; readonly name: string; readonly uid: string },
): string => `${directories.podLogs}/${pod.namespace}_${pod.name}_${pod.uid}`;
