import type { Container, Pod } from "../api/generated/core-v1.ts";
import { containerResources } from "./environment/containerResources.ts";
import { containerSecurity } from "./environment/containerSecurity.ts";
import { expandCommand } from "./environment/environment.ts";
import type { EnvVariable } from "./environment/serviceVariables.ts";
import { normalizeName } from "./images/reference.ts";
import { containerHash } from "./podLifecycle/containerHash.ts";
import {
  CONTAINER_HASH_ANNOTATION,
  CONTAINER_NAME_LABEL,
  POD_GRACE_PERIOD_ANNOTATION,
  POD_NAME_LABEL,
  POD_NAMESPACE_LABEL,
  POD_UID_LABEL,
  RESTART_COUNT_ANNOTATION,
  TERMINATION_MESSAGE_HOST_PATH_ANNOTATION,
  TERMINATION_MESSAGE_PATH_ANNOTATION,
  TERMINATION_MESSAGE_POLICY_ANNOTATION,
} from "./podLifecycle/runtimePod.ts";
import type { ContainerConfig, ContainerMount, ImageStatus } from "./runtime.ts";

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly sandboxId: string;
  readonly attempt: number;
  readonly image: ImageStatus;
  readonly environment: readonly EnvVariable[];
  readonly mounts: readonly ContainerMount[];
  readonly logPath: string;
  readonly terminationMessageHostPath: string;
  readonly nodeMemoryBytes: number;
  readonly podPidsMax: number | undefined;
  readonly targetContainerId?: string;
}

function annotations({ pod, container, attempt, terminationMessageHostPath }: ContainerConfigInput) {
  const grace = pod.spec.terminationGracePeriodSeconds;
  return {
    [CONTAINER_HASH_ANNOTATION]: containerHash(container),
    [RESTART_COUNT_ANNOTATION]: `${attempt}`,
    [TERMINATION_MESSAGE_PATH_ANNOTATION]: container.terminationMessagePath ?? "",
    [TERMINATION_MESSAGE_POLICY_ANNOTATION]: container.terminationMessagePolicy ?? "File",
    [TERMINATION_MESSAGE_HOST_PATH_ANNOTATION]: terminationMessageHostPath,
    ...(grace !== undefined && { [POD_GRACE_PERIOD_ANNOTATION]: `${grace}` }),
  };
}

/**
 * In full, as the runtime knows it. Where the image has several names it is the one that was asked for.
 * Source: containerd internal/cri/server/container_status.go.
 */
function imageNames({ image: asked = "" }: Container, { id, repoTags, repoDigests }: ImageStatus) {
  const full = normalizeName(asked);
  return {
    imageId: id,
    imageName: repoTags.find((tag) => tag === full) ?? repoTags[0] ?? asked,
    imageRef: repoDigests[0] ?? id,
  };
}

/** Source: kuberuntime_container.go generateContainerConfig. */
export function containerConfig(input: ContainerConfigInput): ContainerConfig {
  const { pod, container, environment } = input;
  const { workingDir } = container;
  return {
    sandboxId: input.sandboxId,
    name: container.name,
    attempt: input.attempt,
    ...imageNames(container, input.image),
    ...expandCommand(container, environment),
    env: environment,
    ...(workingDir !== undefined && workingDir !== "" && { workingDir }),
    mounts: input.mounts,
    logPath: input.logPath,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    resources: containerResources(pod, container, input),
    security: containerSecurity(pod, container),
    labels: {
      [CONTAINER_NAME_LABEL]: container.name,
      [POD_NAME_LABEL]: pod.metadata.name,
      [POD_NAMESPACE_LABEL]: pod.metadata.namespace ?? "",
      [POD_UID_LABEL]: pod.metadata.uid,
    },
    annotations: annotations(input),
    ...(input.targetContainerId !== undefined && { targetContainerId: input.targetContainerId }),
  };
}
