/**
 * How a service's endpoints are spread over its slices. Every write of a slice goes to every node, so slices are left
 * as they are where possible: what is to be added goes first into slices that change anyway, then into the one that it
 * fills best, then into new ones. Source: staging/src/k8s.io/endpointslice reconciler.go.
 */
import type { Service } from "../../api/generated/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../../api/generated/discovery-v1.ts";
import { service as serviceKind } from "../../api/index.ts";
import { semanticEqual } from "../../machinery/deepEqual.ts";
import type { Draft } from "../../machinery/object.ts";
import { isOwnedBy, ownerReferenceFor } from "../../machinery/ownerReferences.ts";
import { HEADLESS_LABEL, hasClusterIP, TRIGGER_TIME } from "../endpoints/servicePods.ts";
import { triggerTimestamp } from "../endpoints/triggerTimes.ts";
import {
  type AddressType,
  addressTypesOf,
  type Behind,
  desiredEndpoints,
  type PortGroup,
  portsKey,
} from "./desiredEndpoints.ts";

/** Source: kube-controller-manager, --max-endpoints-per-slice. */
export const SLICE_ENDPOINTS_MAX = 100;
/** Source: api/discovery/v1 well_known_labels.go. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
export const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
/** Source: pkg/controller/endpointslice, controllerName. */
export const MANAGED_BY = "endpointslice-controller.k8s.io";
const RESERVED_LABELS: ReadonlySet<string> = new Set([SERVICE_NAME_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL]);

export type SliceAction =
  | { readonly do: "create"; readonly slice: Draft<EndpointSlice> }
  | { readonly do: "update"; readonly slice: EndpointSlice }
  | { readonly do: "delete"; readonly slice: EndpointSlice };

export interface ObservedService extends Behind {
  readonly slices: readonly EndpointSlice[];
  /** When the change happened that this plan follows. */
  readonly triggerMs: number | undefined;
}

export interface SlicePlan {
  readonly actions: readonly SliceAction[];
  /** Pods left out because their node is not known; worth another try. */
  readonly withoutNode: readonly string[];
}

/** Decides; never acts. Same input, same actions. */
export function plan(observed: ObservedService): SlicePlan {
  const types = addressTypesOf(observed.service);
  const changes: Changes = { create: [], update: [], delete: [] };
  const withoutNode = new Set<string>();
  for (const type of types) {
    for (const name of planType(observed, type, changes)) withoutNode.add(name);
  }
  for (const slice of observed.slices) {
    if (!types.includes(slice.addressType as AddressType)) changes.delete.push(slice);
  }
  return { actions: actionsOf(observed, changes), withoutNode: [...withoutNode] };
}

interface SliceContent {
  readonly addressType: AddressType;
  readonly ports: PortGroup["ports"];
  readonly endpoints: readonly Endpoint[];
}

interface Changes {
  readonly create: SliceContent[];
  readonly update: { readonly slice: EndpointSlice; readonly endpoints: readonly Endpoint[] }[];
  readonly delete: EndpointSlice[];
}

function planType(observed: ObservedService, addressType: AddressType, changes: Changes): readonly string[] {
  const { service } = observed;
  const { groups, withoutNode } = desiredEndpoints(observed, addressType);
  const present = observed.slices.filter((slice) => slice.addressType === addressType);
  const byPorts = Map.groupBy(present, (slice) =>
    isOwnedBy(slice, service.metadata.uid) ? portsKey(slice.ports) : undefined,
  );
  const mine: Changes = { create: [], update: [], delete: [] };
  for (const [key, group] of groups) planGroup(service, addressType, byPorts.get(key) ?? [], group, mine);
  for (const [key, slices] of byPorts) if (key === undefined || !groups.has(key)) mine.delete.push(...slices);
  if (present.length === mine.delete.length && mine.create.length === 0) keepPlaceholder(service, addressType, mine);
  changes.create.push(...mine.create);
  changes.update.push(...mine.update);
  changes.delete.push(...mine.delete);
  return withoutNode;
}

/** A service without endpoints has one slice that says so. */
function keepPlaceholder(service: Service, addressType: AddressType, changes: Changes): void {
  const [only] = changes.delete;
  const isPlaceholder =
    only !== undefined &&
    changes.delete.length === 1 &&
    (only.endpoints?.length ?? 0) === 0 &&
    (only.ports?.length ?? 0) === 0 &&
    isOwnedBy(only, service.metadata.uid) &&
    !areLabelsStale(only, service);
  if (isPlaceholder) changes.delete.length = 0;
  else changes.create.push({ addressType, ports: [], endpoints: [] });
}

/** Source: reconcileByPortMapping. */
function planGroup(
  service: Service,
  addressType: AddressType,
  slices: readonly EndpointSlice[],
  { ports, endpoints }: PortGroup,
  changes: Changes,
): void {
  const missing = new Map(endpoints.map((endpoint) => [identityOf(endpoint), endpoint]));
  const changed: { slice: EndpointSlice; endpoints: Endpoint[] }[] = [];
  const same: EndpointSlice[] = [];
  for (const slice of slices) {
    const kept: Endpoint[] = [];
    let isSame = true;
    for (const before of slice.endpoints ?? []) {
      const after = missing.get(identityOf(before));
      missing.delete(identityOf(before));
      if (after !== undefined) kept.push(after);
      if (after === undefined || !semanticEqual(before, after)) isSame = false;
    }
    if (isSame && !areLabelsStale(slice, service)) same.push(slice);
    else changed.push({ slice, endpoints: kept });
  }
  const left = [...missing.values()];
  for (const { endpoints: into } of changed.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) {
    into.push(...left.splice(0, SLICE_ENDPOINTS_MAX - into.length));
  }
  addLeftOver(left, same, changed, (content) => changes.create.push({ addressType, ports, endpoints: content }));
  for (const change of changed) {
    if (change.endpoints.length > 0) changes.update.push(change);
    else changes.delete.push(change.slice);
  }
}

function addLeftOver(
  left: readonly Endpoint[],
  same: readonly EndpointSlice[],
  changed: { slice: EndpointSlice; endpoints: Endpoint[] }[],
  create: (endpoints: readonly Endpoint[]) => void,
): void {
  let from = 0;
  for (; left.length - from >= SLICE_ENDPOINTS_MAX; from += SLICE_ENDPOINTS_MAX) {
    create(left.slice(from, from + SLICE_ENDPOINTS_MAX));
  }
  const rest = left.slice(from);
  if (rest.length === 0) return;
  const fitting = fullestThatFits(same, rest.length);
  if (fitting === undefined) create(rest);
  else changed.push({ slice: fitting, endpoints: [...(fitting.endpoints ?? []), ...rest] });
}

/** Source: getSliceToFill. */
function fullestThatFits(slices: readonly EndpointSlice[], count: number): EndpointSlice | undefined {
  const sizeOf = (slice: EndpointSlice) => slice.endpoints?.length ?? 0;
  const fitting = slices.filter((slice) => sizeOf(slice) + count <= SLICE_ENDPOINTS_MAX);
  return fitting.toSorted((a, b) => sizeOf(b) - sizeOf(a))[0];
}

const identityOf = ({ addresses, targetRef, hostname }: Endpoint): string =>
  `${addresses?.join()} ${targetRef?.uid ?? ""} ${targetRef?.name ?? ""} ${hostname ?? ""}`;

/** Where one slice would go and another come, the one is rewritten. Source: reconciler.go, finalize. */
function actionsOf({ service, triggerMs }: ObservedService, changes: Changes): readonly SliceAction[] {
  const labels = sliceLabels(service);
  const annotations: Readonly<Record<string, string>> =
    triggerMs === undefined ? {} : { [TRIGGER_TIME]: triggerTimestamp(triggerMs) };
  const rewritten = (slice: EndpointSlice, content: Partial<SliceContent>): SliceAction => {
    const { [TRIGGER_TIME]: _, ...kept } = slice.metadata.annotations ?? {};
    const metadata = { ...slice.metadata, labels, annotations: { ...kept, ...annotations } };
    return { do: "update", slice: { ...slice, ...content, metadata } };
  };
  const actions: SliceAction[] = changes.update.map(({ slice, endpoints }) => rewritten(slice, { endpoints }));
  const deletions = [...changes.delete];
  for (const content of changes.create) {
    const reusable = deletions.findIndex(
      (slice) => slice.addressType === content.addressType && isOwnedBy(slice, service.metadata.uid),
    );
    const [reused] = reusable < 0 ? [] : deletions.splice(reusable, 1);
    actions.push(
      reused === undefined
        ? { do: "create", slice: newSlice(service, content, labels, annotations) }
        : rewritten(reused, content),
    );
  }
  return [...actions, ...deletions.map((slice): SliceAction => ({ do: "delete", slice }))];
}

function newSlice(
  service: Service,
  content: SliceContent,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): Draft<EndpointSlice> {
  const { name, namespace } = service.metadata;
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace !== undefined && { namespace }),
      labels,
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ownerReferences: [ownerReferenceFor(service, serviceKind)],
    },
    ...content,
  };
}

function sliceLabels(service: Service): Readonly<Record<string, string>> {
  return {
    ...ordinary(service.metadata.labels),
    ...(!hasClusterIP(service) && { [HEADLESS_LABEL]: "" }),
    [SERVICE_NAME_LABEL]: service.metadata.name,
    [MANAGED_BY_LABEL]: MANAGED_BY,
  };
}

const areLabelsStale = (slice: EndpointSlice, service: Service): boolean =>
  !semanticEqual(ordinary(slice.metadata.labels), ordinary(service.metadata.labels));

const ordinary = (labels: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => !RESERVED_LABELS.has(key)));
