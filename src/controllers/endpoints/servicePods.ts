/** Which pods stand behind a service, and under which ports. Source: staging/src/k8s.io/endpointslice util. */
import type { Container, Pod, Service, ServicePort } from "../../api/generated/core-v1.ts";
import { pod as podKind, service as serviceKind } from "../../api/index.ts";
import { objectKey } from "../../client/objectKey.ts";
import type { SharedInformers } from "../../client/sharedInformers.ts";
import { semanticEqual } from "../../machinery/deepEqual.ts";
import { isReady, isTerminal } from "../pods/podReadiness.ts";

/** Set on what belongs to a service without an address of its own. Source: api/core/v1, IsHeadlessService. */
export const HEADLESS_LABEL = "service.kubernetes.io/headless";
/** When the change happened that led to this write. Source: api/core/v1, EndpointsLastChangeTriggerTime. */
export const TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time";

export const isHeadless = ({ spec }: Service): boolean => spec.clusterIP === "None";
/** Source: core/v1/helper, IsServiceIPSet. */
export const hasClusterIP = ({ spec }: Service): boolean => spec.clusterIP !== "None" && (spec.clusterIP ?? "") !== "";

/** Without a selector somebody else says who stands behind a service. */
export const hasSelector = ({ spec }: Service): boolean => Object.keys(spec.selector ?? {}).length > 0;

const selects = (service: Service, pod: Pod): boolean =>
  hasSelector(service) &&
  Object.entries(service.spec.selector ?? {}).every(([key, value]) => pod.metadata.labels?.[key] === value);

export const keysOfPodServices =
  (informers: SharedInformers) =>
  (pod: Pod): readonly string[] =>
    informers
      .of<Service>(serviceKind)
      .inNamespace(pod.metadata.namespace ?? "")
      .filter((service) => selects(service, pod))
      .map(objectKey);

export const podsOfService = (informers: SharedInformers, service: Service): readonly Pod[] =>
  informers
    .of<Pod>(podKind)
    .inNamespace(service.metadata.namespace ?? "")
    .filter((pod) => selects(service, pod));

/** Whether a change of a pod can change what is published about it. Source: endpointslice util, podEndpointsChanged. */
export function isEndpointChange(before: Pod, after: Pod): boolean {
  return (
    before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
    !semanticEqual(before.metadata.labels, after.metadata.labels) ||
    before.status?.phase !== after.status?.phase ||
    before.spec?.nodeName !== after.spec?.nodeName ||
    before.status?.podIP !== after.status?.podIP ||
    addressesOf(before).join() !== addressesOf(after).join() ||
    isReady(before) !== isReady(after)
  );
}

/** Source: ShouldPodBeInEndpoints. */
export const isPublished = (pod: Pod, includeTerminating: boolean): boolean =>
  !isTerminal(pod) &&
  addressesOf(pod).length > 0 &&
  (includeTerminating || pod.metadata.deletionTimestamp === undefined);

export const addressesOf = ({ status }: Pod): readonly string[] => {
  const addresses = status?.podIPs?.map(({ ip }) => ip).filter((ip) => ip !== "") ?? [];
  if (addresses.length > 0) return addresses;
  return status?.podIP === undefined || status.podIP === "" ? [] : [status.podIP];
};

/** Under its own name a pod is found only through the service that its subdomain names. Source: ShouldSetHostname. */
export const publishedHostname = ({ spec }: Pod, service: Service): string | undefined =>
  (spec?.hostname ?? "") !== "" && spec?.subdomain === service.metadata.name ? spec.hostname : undefined;

export interface PublishedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

/** A pod without the port that a service names is published without that port. */
export function portsOf(service: Service, pod: Pod): readonly PublishedPort[] {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = findPort(pod, servicePort);
    if (port === undefined) return [];
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    return [{ name, port, protocol, ...(appProtocol !== undefined && { appProtocol }) }];
  });
}

/** The number itself, or that of the container's port of this name. Source: FindPort. */
function findPort(pod: Pod, { targetPort, port, protocol = "TCP" }: ServicePort): number | undefined {
  if (typeof targetPort === "number") return targetPort === 0 ? port : targetPort;
  if (targetPort === undefined || targetPort === "") return port;
  const sidecars = pod.spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === "Always") ?? [];
  const containers: readonly Container[] = [...(pod.spec?.containers ?? []), ...sidecars];
  for (const container of containers) {
    for (const candidate of container.ports ?? []) {
      if (candidate.name === targetPort && (candidate.protocol ?? "TCP") === protocol) return candidate.containerPort;
    }
  }
  return undefined;
}
