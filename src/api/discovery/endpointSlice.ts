import { deepEqual } from "../../machinery/deepEqual.ts";
import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { FieldPath } from "../../machinery/fieldErrors.ts";
import { ipWarnings } from "../../machinery/ipWarnings.ts";
import { firstFew } from "../columns.ts";
import type { EndpointSlice } from "../generated/discovery-v1.ts";
import { withEach, withMissingPointers } from "../missing.ts";
import { validateEndpointSlice, validateEndpointSliceUpdate } from "./endpointSliceValidation.ts";

const UNSET = "<unset>";

/** Source: printers.go, formatDiscoveryPorts. */
const portsText = ({ ports = [] }: EndpointSlice): string =>
  firstFew(ports.map(({ port, name }) => (port === undefined ? (name ?? "*") : `${port}`))) || UNSET;

const addressesText = ({ endpoints }: EndpointSlice): string =>
  firstFew((endpoints ?? []).flatMap(({ addresses }) => addresses)) || UNSET;

/** Topology is of an older version and is not taken any more. Source: endpointslice strategy.go, dropTopologyOnV1. */
const withoutTopology = (slice: EndpointSlice): EndpointSlice =>
  withEach(slice, "endpoints", (endpoint) => {
    if (endpoint.deprecatedTopology === undefined) return endpoint;
    const { deprecatedTopology: _, ...rest } = endpoint;
    return rest;
  });

/** Labels count as content: they say whose slice it is. */
function prepareEndpointSliceForUpdate(next: EndpointSlice, previous: EndpointSlice): EndpointSlice {
  const kept = deepEqual(next.endpoints, previous.endpoints) ? next : withoutTopology(next);
  if (deepEqual(next.metadata.labels ?? {}, previous.metadata.labels ?? {})) return kept;
  return { ...kept, metadata: { ...kept.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
}

const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
const CONTROLLERS = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

/** Source: strategy.go, warnOnBadIPs. */
function addressWarnings({ metadata, endpoints }: EndpointSlice): string[] {
  if (CONTROLLERS.includes(metadata.labels?.[MANAGED_BY_LABEL] ?? "")) return [];
  return (endpoints ?? []).flatMap(({ addresses }, index) =>
    addresses.flatMap((address, at) =>
      ipWarnings(new FieldPath("endpoints").index(index).at("addresses").index(at), address),
    ),
  );
}

const endpointSliceWarnings = (slice: EndpointSlice, previous?: EndpointSlice): string[] => [
  ...(previous === undefined && slice.addressType === "FQDN"
    ? ["spec.addressType: FQDN endpoints are deprecated"]
    : []),
  ...addressWarnings(slice),
];

/** Some of the addresses behind a Service. */
export const endpointSlice = defineKind<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  scope: "Namespaced",
  hasGeneration: true,
  withDefaults: (slice) => withEach(slice, "ports", (port) => withMissingPointers(port, { name: "", protocol: "TCP" })),
  columns: [
    nameColumn,
    { name: "AddressType", type: "string", value: (slice) => slice.addressType },
    { name: "Ports", type: "string", value: portsText },
    { name: "Endpoints", type: "string", value: addressesText },
    ageColumn,
  ],
  prepareForCreate: withoutTopology,
  prepareForUpdate: prepareEndpointSliceForUpdate,
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
  warnings: endpointSliceWarnings,
});
