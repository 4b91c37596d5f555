/** Who stands behind a service, in the old form: all of them in one object. Source: pkg/controller/endpoint. */
import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
  Pod,
  Service,
} from "../../api/generated/core-v1.ts";
import { semanticEqual } from "../../machinery/deepEqual.ts";
import type { Draft } from "../../machinery/object.ts";
import { isReady } from "../pods/podReadiness.ts";
import {
  addressesOf,
  HEADLESS_LABEL,
  hasClusterIP,
  isHeadless,
  isPublished,
  portsOf,
  publishedHostname,
  TRIGGER_TIME,
} from "./servicePods.ts";
import { triggerTimestamp } from "./triggerTimes.ts";

/** Source: endpoints_controller.go, maxCapacity. */
export const ADDRESSES_MAX = 1000;
/** Says that not all are listed. Source: api/core/v1, EndpointsOverCapacity. */
export const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";
/** Source: endpoints_controller.go, labelManagedBy and controllerName. */
const MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by";
const MANAGED_BY = "endpoint-controller";

/** Made here, and not by hand for a service without a selector. */
export const isManaged = ({ metadata }: Endpoints): boolean => metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY;

export type EndpointsAction =
  | { readonly do: "create"; readonly endpoints: Draft<Endpoints> }
  | { readonly do: "update"; readonly endpoints: Endpoints }
  | { readonly do: "none" };

export interface ObservedEndpoints {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly endpoints: Endpoints | undefined;
  readonly triggerMs: number | undefined;
}

/** Decides; never acts. Same input, same action. */
export function plan({ service, pods, endpoints, triggerMs }: ObservedEndpoints): EndpointsAction {
  const all = subsetsOf(service, pods);
  const { subsets, isTruncated } = truncate(all);
  const labels = {
    ...service.metadata.labels,
    [MANAGED_BY_LABEL]: MANAGED_BY,
    ...(!hasClusterIP(service) && { [HEADLESS_LABEL]: "" }),
  };
  const present = endpoints?.metadata.annotations ?? {};
  const isMarked = present[OVER_CAPACITY] === "truncated";
  const isSame =
    endpoints !== undefined &&
    semanticEqual(endpoints.subsets ?? [], subsets) &&
    semanticEqual(endpoints.metadata.labels ?? {}, labels) &&
    isMarked === isTruncated;
  if (isSame) return { do: "none" };
  const { [TRIGGER_TIME]: _time, [OVER_CAPACITY]: _mark, ...kept } = present;
  const annotations = {
    ...kept,
    ...(triggerMs !== undefined && { [TRIGGER_TIME]: triggerTimestamp(triggerMs) }),
    ...(isTruncated && { [OVER_CAPACITY]: "truncated" }),
  };
  if (endpoints !== undefined) {
    return {
      do: "update",
      endpoints: { ...endpoints, metadata: { ...endpoints.metadata, labels, annotations }, subsets },
    };
  }
  const { name, namespace } = service.metadata;
  const metadata = { name, ...(namespace !== undefined && { namespace }), labels, annotations };
  return { do: "create", endpoints: { metadata, subsets } };
}

interface Group {
  readonly ports: readonly EndpointPort[];
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

/** Addresses that share their ports stand together; both in a settled order, so that nothing is written in vain. */
function subsetsOf(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    if (!isPublished(pod, service.spec.publishNotReadyAddresses === true)) continue;
    const ports = portsOf(service, pod).map(({ name, ...port }) => (name === "" ? port : { ...port, name }));
    if (ports.length === 0 && !(isHeadless(service) && (service.spec.ports ?? []).length === 0)) continue;
    const address = addressOf(service, pod);
    if (address === undefined) continue;
    ports.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
    const key = ports.map(textOf).join("\n");
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    groups.set(key, group);
    const isListedReady = service.spec.publishNotReadyAddresses === true || isReady(pod);
    (isListedReady ? group.ready : group.notReady).push(address);
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 && { addresses: ready.sort(byAddress) }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady.sort(byAddress) }),
      ...(ports.length > 0 && { ports }),
    }));
}

const textOf = ({ name = "", port, protocol, appProtocol = "" }: EndpointPort & { readonly name?: string }) =>
  `${name} ${port} ${protocol} ${appProtocol}`;

/** The address of the service's first family. */
function addressOf(service: Service, pod: Pod): EndpointAddress | undefined {
  const isIPv6 = (service.spec.ipFamilies?.[0] ?? (service.spec.clusterIP?.includes(":") ? "IPv6" : "IPv4")) === "IPv6";
  const ip = addressesOf(pod).find((candidate) => candidate.includes(":") === isIPv6);
  if (ip === undefined) return undefined;
  const { namespace, name, uid } = pod.metadata;
  const hostname = publishedHostname(pod, service);
  const nodeName = pod.spec?.nodeName;
  return {
    ip,
    ...(hostname !== undefined && { hostname }),
    ...(nodeName !== undefined && nodeName !== "" && { nodeName }),
    targetRef: { kind: "Pod", ...(namespace !== undefined && { namespace }), name, uid },
  };
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  return sortable(a.ip) < sortable(b.ip) ? -1 : 1;
}

const sortable = (ip: string) =>
  ip.includes(":")
    ? ip
    : ip
        .split(".")
        .map((part) => part.padStart(3, "0"))
        .join(".");

/** Ready addresses come first; of what does not fit each subset loses its share. Source: truncateEndpoints. */
function truncate(subsets: readonly EndpointSubset[]): {
  readonly subsets: readonly EndpointSubset[];
  readonly isTruncated: boolean;
} {
  const total = (list: "addresses" | "notReadyAddresses") =>
    subsets.reduce((sum, subset) => sum + (subset[list]?.length ?? 0), 0);
  const ready = total("addresses");
  const notReady = total("notReadyAddresses");
  if (ready + notReady <= ADDRESSES_MAX) return { subsets, isTruncated: false };
  const shareOfReady = sharer(ready, Math.min(ready, ADDRESSES_MAX));
  const shareOfNotReady = sharer(notReady, Math.max(0, ADDRESSES_MAX - ready));
  const cut = subsets.map((subset) => {
    const addresses = subset.addresses?.slice(0, shareOfReady(subset.addresses.length)) ?? [];
    const others = subset.notReadyAddresses?.slice(0, shareOfNotReady(subset.notReadyAddresses.length)) ?? [];
    return {
      ...(addresses.length > 0 && { addresses }),
      ...(others.length > 0 && { notReadyAddresses: others }),
      ...(subset.ports !== undefined && { ports: subset.ports }),
    };
  });
  return { subsets: cut.filter((subset) => subset.addresses ?? subset.notReadyAddresses), isTruncated: true };
}

/** Shares `allowed` of `total` out; what rounding leaves over goes to the last. */
function sharer(total: number, allowed: number): (count: number) => number {
  let seen = 0;
  let given = 0;
  return (count) => {
    seen += count;
    const share = total === 0 ? 0 : Math.floor((seen * allowed) / total) - given;
    given += share;
    return share;
  };
}
