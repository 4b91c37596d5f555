/** What the runtime knows of one pod: its sandboxes and containers, newest first. */
import type { Container, Pod } from "../../api/generated/core-v1.ts";
import type { ContainerStatus, PodIdentity, SandboxStatus } from "../runtime.ts";

export interface RuntimePod {
  readonly pod: PodIdentity;
  /** Newest first. */
  readonly sandboxes: readonly SandboxStatus[];
  /** Of all sandboxes and attempts, newest first. */
  readonly containers: readonly ContainerStatus[];
}

/** Labels and annotations on sandboxes and containers. Source: kubelet pkg/types/labels.go, kuberuntime/labels.go. */
export const POD_NAME_LABEL = "io.kubernetes.pod.name";
export const POD_NAMESPACE_LABEL = "io.kubernetes.pod.namespace";
export const POD_UID_LABEL = "io.kubernetes.pod.uid";
export const CONTAINER_NAME_LABEL = "io.kubernetes.container.name";
export const CONTAINER_HASH_ANNOTATION = "io.kubernetes.container.hash";
export const RESTART_COUNT_ANNOTATION = "io.kubernetes.container.restartCount";
export const TERMINATION_MESSAGE_PATH_ANNOTATION = "io.kubernetes.container.terminationMessagePath";
export const TERMINATION_MESSAGE_POLICY_ANNOTATION = "io.kubernetes.container.terminationMessagePolicy";
export const TERMINATION_MESSAGE_HOST_PATH_ANNOTATION = "io.kubernetes.container.terminationMessageHostPath";
export const POD_GRACE_PERIOD_ANNOTATION = "io.kubernetes.pod.terminationGracePeriod";
export const CONTAINER_PRE_STOP_ANNOTATION = "io.kubernetes.container.preStopHandler";

export const podIdentity = ({ metadata }: Pod): PodIdentity => ({
  uid: metadata.uid,
  name: metadata.name,
  namespace: metadata.namespace ?? "",
});

export const emptyRuntimePod = (pod: Pod): RuntimePod => ({ pod: podIdentity(pod), sandboxes: [], containers: [] });

/** "web_default(0b1c…)", as events and messages name a pod. Source: kubelet util/format Pod. */
export const formatPod = ({ metadata }: Pod): string => `${metadata.name}_${metadata.namespace ?? ""}(${metadata.uid})`;

/** The newest attempt of a container. */
export const latestContainer = ({ containers }: RuntimePod, name: string): ContainerStatus | undefined =>
  containers.find((container) => container.name === name);

/** The newest attempt in the newest sandbox: what happened in earlier sandboxes does not count as done. */
export function activeContainer({ sandboxes, containers }: RuntimePod, name: string): ContainerStatus | undefined {
  const sandboxId = sandboxes[0]?.id;
  return containers.find((container) => container.name === name && container.sandboxId === sandboxId);
}

export const isSidecar = (container: Container): boolean => container.restartPolicy === "Always";

/** What may still hold a process. */
export const isAlive = ({ state }: ContainerStatus): boolean => state === "Running" || state === "Unknown";

const newestFirst = (
  a: { readonly createdAtMs: number; readonly attempt: number },
  b: { readonly createdAtMs: number; readonly attempt: number },
): number => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt;

export const sortedSandboxes = (sandboxes: Iterable<SandboxStatus>): readonly SandboxStatus[] =>
  [...sandboxes].sort(newestFirst);
export const sortedContainers = (containers: Iterable<ContainerStatus>): readonly ContainerStatus[] =>
  [...containers].sort(newestFirst);
