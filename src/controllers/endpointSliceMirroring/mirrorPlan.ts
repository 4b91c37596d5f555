/** Endpoints that were written by hand, as slices, which is all that proxies read. Source: pkg/controller/endpointslicemirroring. */
import type { EndpointAddress, EndpointSubset, Endpoints, Service } from "../../api/generated/core-v1.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "../../api/generated/discovery-v1.ts";
import { endpoints as endpointsKind } from "../../api/index.ts";
import { semanticEqual } from "../../machinery/deepEqual.ts";
import type { Draft } from "../../machinery/object.ts";
import { isOwnedBy, ownerReferenceFor } from "../../machinery/ownerReferences.ts";
import { portsKey } from "../endpointSlice/desiredEndpoints.ts";
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL, type SliceAction } from "../endpointSlice/endpointSlicePlan.ts";
import { hasSelector, TRIGGER_TIME } from "../endpoints/servicePods.ts";

/** Source: endpointslicemirroring, controllerName. */
export const MIRRORED_BY = "endpointslicemirroring-controller.k8s.io";
/** Further addresses of a subset are left out. Source: --mirroring-max-endpoints-per-subset. */
export const SUBSET_ADDRESSES_MAX = 1000;
/** Source: api/discovery/v1, LabelSkipMirror. */
const SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror";
/** Endpoints that are a lock are no endpoints. Source: client-go resourcelock, LeaderElectionRecordAnnotationKey. */
const LOCK = "control-plane.alpha.kubernetes.io/leader";
const NOT_MIRRORED: ReadonlySet<string> = new Set(["kubectl.kubernetes.io/last-applied-configuration", TRIGGER_TIME]);

export interface ObservedMirror {
  readonly service: Service | undefined;
  readonly endpoints: Endpoints | undefined;
  /** Those that were mirrored before. */
  readonly slices: readonly EndpointSlice[];
}

/** Decides; never acts. Same input, same actions. */
export function plan({ service, endpoints, slices }: ObservedMirror): readonly SliceAction[] {
  const isMirrored =
    service !== undefined && !hasSelector(service) && endpoints !== undefined && isMirrorable(endpoints);
  if (!isMirrored) return slices.map((slice) => ({ do: "delete", slice }));
  const left = new Set(slices);
  const actions: SliceAction[] = [];
  for (const content of contents(endpoints)) {
    const present = [...left].find(
      (slice) =>
        slice.addressType === content.addressType &&
        portsKey(slice.ports) === portsKey(content.ports) &&
        isOwnedBy(slice, endpoints.metadata.uid),
    );
    if (present !== undefined) left.delete(present);
    const action = actionFor(endpoints, content, present);
    if (action !== undefined) actions.push(action);
  }
  return [...actions, ...[...left].map((slice): SliceAction => ({ do: "delete", slice }))];
}

const isMirrorable = ({ metadata }: Endpoints): boolean =>
  metadata.labels?.[SKIP_MIRROR] !== "true" &&
  metadata.annotations?.[LOCK] === undefined &&
  metadata.deletionTimestamp === undefined;

interface SliceContent {
  readonly addressType: string;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** A slice for each subset and family; subsets of the same ports come together. */
function contents({ subsets = [] }: Endpoints): readonly SliceContent[] {
  const groups = new Map<string, { addressType: string; ports: readonly EndpointPort[]; endpoints: Endpoint[] }>();
  for (const subset of subsets) {
    const ports = (subset.ports ?? []).map(({ name = "", ...port }) => ({ name, ...port }));
    for (const { ready, address } of addressesOf(subset)) {
      const addressType = address.ip.includes(":") ? "IPv6" : "IPv4";
      const key = `${addressType} ${portsKey(ports)}`;
      const group = groups.get(key) ?? { addressType, ports, endpoints: [] };
      groups.set(key, group);
      group.endpoints.push(endpointOf(address, ready));
    }
  }
  return [...groups.values()];
}

const addressesOf = ({ addresses = [], notReadyAddresses = [] }: EndpointSubset) =>
  [
    ...addresses.map((address) => ({ ready: true, address })),
    ...notReadyAddresses.map((address) => ({ ready: false, address })),
  ].slice(0, SUBSET_ADDRESSES_MAX);

const endpointOf = ({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint => ({
  addresses: [ip],
  conditions: { ready },
  ...(hostname !== undefined && { hostname }),
  ...(nodeName !== undefined && { nodeName }),
  ...(targetRef !== undefined && { targetRef }),
});

function actionFor(
  owner: Endpoints,
  content: SliceContent,
  present: EndpointSlice | undefined,
): SliceAction | undefined {
  const { name, namespace, annotations: given = {} } = owner.metadata;
  const labels = { ...owner.metadata.labels, [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: MIRRORED_BY };
  const annotations = Object.fromEntries(Object.entries(given).filter(([key]) => !NOT_MIRRORED.has(key)));
  if (present === undefined) {
    const ownerReferences = [ownerReferenceFor(owner, endpointsKind)];
    const metadata = {
      generateName: `${name}-`,
      ...(namespace !== undefined && { namespace }),
      labels,
      annotations,
      ownerReferences,
    };
    const slice: Draft<EndpointSlice> = { ...content, metadata };
    return { do: "create", slice };
  }
  const isSame =
    semanticEqual(present.endpoints, content.endpoints) &&
    semanticEqual(present.metadata.labels, labels) &&
    semanticEqual(present.metadata.annotations, annotations);
  if (isSame) return undefined;
  return { do: "update", slice: { ...present, ...content, metadata: { ...present.metadata, labels, annotations } } };
}
