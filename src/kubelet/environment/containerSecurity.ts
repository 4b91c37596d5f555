import type { Container, Pod } from "../../api/generated/core-v1.ts";
import type { ContainerSecurity, ImageStatus } from "../runtime.ts";
import { ContainerConfigError } from "./environment.ts";

/** The container's settings go before the pod's. Source: pkg/securitycontext/util.go DetermineEffectiveSecurityContext. */
export function containerSecurity(pod: Pod, container: Container): ContainerSecurity {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  const privileged = own.privileged === true;
  return {
    privileged,
    readOnlyRootFilesystem: own.readOnlyRootFilesystem === true,
    ...(runAsUser !== undefined && { runAsUser }),
    ...(runAsGroup !== undefined && { runAsGroup }),
    supplementalGroups: [...new Set(groups)],
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    allowPrivilegeEscalation: privileged || own.allowPrivilegeEscalation !== false,
  };
}

/**
 * Refuses to run as root where the pod says so. Source: kuberuntime/security_context.go verifyRunAsNonRoot.
 * @throws ContainerConfigError
 */
export function checkRunAsNonRoot(pod: Pod, container: Container, image: ImageStatus): void {
  const isAsked = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  if (isAsked !== true) return;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
  const runAsUser = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  if (runAsUser !== undefined) {
    if (runAsUser !== 0) return;
    throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  }
  const user = image.user.split(":")[0] ?? "";
  if (user === "" || user === "0") {
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  }
  if (!/^\d+$/.test(user)) {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${where}`,
    );
  }
}
