import type { Container, Pod } from "../api/generated/core-v1.ts";
import { containerResources } from "./environment/containerResources.ts";
import { containerSecurity } from "./environment/containerSecurity.ts";
import { expandCommand } from "./environment/environment.ts";
import type { EnvVariable } from "./environment/serviceVariables.ts";
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
import type { ContainerConfig, ContainerMount } from "./runtime.ts";

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly sandboxId: string;
  readonly attempt: number;
  readonly imageId: string;
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

/** Source: kuberuntime_container.go generateContainerConfig. */
export function containerConfig(input: ContainerConfigInput): ContainerConfig {
  const { pod, container, environment } = input;
  const { workingDir } = container;
  return {
    sandboxId: input.sandboxId,
    name: container.name,
    attempt: input.attempt,
    imageId: input.imageId,
    imageName: container.image ?? "",
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
