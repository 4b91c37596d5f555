import { defineKind } from "../../machinery/defineKind.ts";
import type { Pod, PodSpec, PodStatus } from "../generated/core-v1.ts";
import { withField, withMissing } from "../missing.ts";
import { withFirst } from "./firstOfMany.ts";
import { podColumns, podRowConditions } from "./podColumns.ts";
import { keepAllButResources } from "./podResize.ts";
import { podOnlyDefaults, podSpecDefaults } from "./podSpec/podSpecDefaults.ts";
import { preparePodForCreate, preparePodForUpdate } from "./podStrategy.ts";
import { validatePodUpdate } from "./podUpdateValidation.ts";
import { validatePod } from "./podValidation.ts";
import { podWarnings } from "./podWarnings.ts";

/** Source: registry/core/pod strategy.go, ToSelectableFields. */
const podFieldSelectors = {
  "spec.nodeName": (pod: Pod) => pod.spec?.nodeName ?? "",
  "spec.restartPolicy": (pod: Pod) => pod.spec?.restartPolicy ?? "",
  "spec.schedulerName": (pod: Pod) => pod.spec?.schedulerName ?? "",
  "spec.serviceAccountName": (pod: Pod) => pod.spec?.serviceAccountName ?? "",
  "spec.hostNetwork": (pod: Pod) => String(pod.spec?.hostNetwork ?? false),
  "status.phase": (pod: Pod) => pod.status?.phase ?? "",
  "status.podIP": (pod: Pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "",
  // Taken, and yet nothing that pods are found by.
  "status.podIPs": () => "",
  "status.nominatedNodeName": (pod: Pod) => pod.status?.nominatedNodeName ?? "",
};

/** A pod that no kubelet has, or that has ended, goes at once. Source: pod strategy.go, CheckGracefulDelete. */
export function podDeletionGraceSeconds(pod: Pod, requestedSeconds?: number): number {
  const ended = pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
  if (!pod.spec?.nodeName || ended) return 0;
  const seconds = requestedSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

const keepAllButEphemeralContainers = (next: Pod, previous: Pod): Pod => ({
  ...previous,
  metadata: next.metadata,
  spec: { ...(previous.spec as PodSpec), ephemeralContainers: next.spec?.ephemeralContainers },
});

/** Source: apis/core/v1/zz_generated.defaults.go, SetObjectDefaults_Pod. */
const podDefaults = (pod: Pod): Pod => {
  const next = withField(withMissing(pod, { spec: { containers: [] } }), "spec", (spec) =>
    podOnlyDefaults(podSpecDefaults(spec)),
  );
  return withField(next, "status", withBothAddresses);
};

function withBothAddresses(status: PodStatus): PodStatus {
  const { one: podIP, many: podIPs } = withFirst(status.podIP, status.podIPs, {
    of: ({ ip }) => ip ?? "",
    make: (ip) => ({ ip }),
  });
  if (podIP === status.podIP && podIPs === status.podIPs) return status;
  return { ...status, ...(podIP !== undefined && { podIP }), ...(podIPs !== undefined && { podIPs }) };
}

/** Containers that live and die together on one node. */
export const pod = defineKind<Pod>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  shortNames: ["po"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: {
    status: true,
    parts: { ephemeralcontainers: keepAllButEphemeralContainers, resize: keepAllButResources },
    served: [
      { name: "attach", kind: "PodAttachOptions", verbs: ["create", "get"] },
      { name: "binding", kind: "Binding", verbs: ["create"] },
      { name: "eviction", group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] },
      { name: "exec", kind: "PodExecOptions", verbs: ["create", "get"] },
      { name: "log", kind: "Pod", verbs: ["get"] },
      { name: "portforward", kind: "PodPortForwardOptions", verbs: ["create", "get"] },
      { name: "proxy", kind: "PodProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] },
    ],
  },
  fieldSelectors: podFieldSelectors,
  deletionGraceSeconds: podDeletionGraceSeconds,
  hasGeneration: true,
  withDefaults: podDefaults,
  columns: podColumns,
  rowConditions: podRowConditions,
  prepareForCreate: preparePodForCreate,
  prepareForUpdate: preparePodForUpdate,
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  warnings: podWarnings,
});
