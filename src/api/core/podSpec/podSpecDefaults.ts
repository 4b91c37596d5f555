/** Defaults of pods and of pod templates. Source: apis/core/v1/defaults.go, SetDefaults_PodSpec and SetDefaults_Pod. */
import type { Container, PodSpec, PodTemplateSpec } from "../../generated/core-v1.ts";
import { withEach, withField, withMissing } from "../../missing.ts";
import { containerDefaults } from "./containerDefaults.ts";
import { podLevelDefaults } from "./podLevelDefaults.ts";
import { requestsFromLimits, requirementsDefaults, resourceListDefaults } from "./resourceDefaults.ts";
import { volumeDefaults } from "./volumeDefaults.ts";

/** The old name of `serviceAccountName` always says the same. Source: apis/core/v1/conversion.go. */
function serviceAccountDefaults(spec: PodSpec): PodSpec {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (!name || (spec.serviceAccountName === name && spec.serviceAccount === name)) return spec;
  return { ...spec, serviceAccountName: name, serviceAccount: name };
}

/** What holds for templates too. */
export function podSpecDefaults(spec: PodSpec): PodSpec {
  let next = serviceAccountDefaults(
    withMissing(spec, {
      containers: [],
      dnsPolicy: "ClusterFirst",
      restartPolicy: "Always",
      securityContext: {},
      terminationGracePeriodSeconds: 30,
      schedulerName: "default-scheduler",
    }),
  );
  next = withEach(next, "volumes", volumeDefaults);
  next = withEach(next, "initContainers", containerDefaults);
  next = withEach(next, "containers", containerDefaults);
  next = withEach(next, "ephemeralContainers", containerDefaults);
  next = withField(next, "overhead", resourceListDefaults);
  return withField(next, "resources", requirementsDefaults);
}

export const podTemplateDefaults = (template: PodTemplateSpec): PodTemplateSpec =>
  withField(template, "spec", podSpecDefaults);

/** On the host's network a container's port is the host's. */
const hostPorts = (container: Container): Container =>
  withEach(container, "ports", (port) => (port.hostPort ? port : { ...port, hostPort: port.containerPort }));

/** What holds for pods only: requests from limits, service links, host ports. */
export function podOnlyDefaults(spec: PodSpec): PodSpec {
  let next = withEach(withEach(spec, "containers", requestsFromLimits), "initContainers", requestsFromLimits);
  next = withMissing(podLevelDefaults(next), { enableServiceLinks: true });
  // Less than no time is one second. Source: apis/core/v1/conversion.go, Convert_v1_Pod_To_core_Pod.
  if ((next.terminationGracePeriodSeconds ?? 0) < 0) next = { ...next, terminationGracePeriodSeconds: 1 };
  if (next.hostNetwork !== true) return next;
  return withEach(withEach(next, "containers", hostPorts), "initContainers", hostPorts);
}
