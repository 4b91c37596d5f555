import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { firstFew } from "../columns.ts";
import type { EndpointSlice } from "../generated/discovery-v1.ts";
import { withEach, withMissing } from "../missing.ts";

const UNSET = "<unset>";

/** Source: printers.go, formatDiscoveryPorts. */
const portsText = ({ ports = [] }: EndpointSlice): string =>
  firstFew(ports.map(({ port, name }) => (port === undefined ? (name ?? "*") : `${port}`))) || UNSET;

const addressesText = ({ endpoints }: EndpointSlice): string =>
  firstFew((endpoints ?? []).flatMap(({ addresses }) => addresses)) || UNSET;

/** Some of the addresses behind a Service. */
export const endpointSlice = defineKind<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  scope: "Namespaced",
  hasGeneration: true,
  withDefaults: (slice) => withEach(slice, "ports", (port) => withMissing(port, { name: "", protocol: "TCP" })),
  columns: [
    nameColumn,
    { name: "AddressType", type: "string", value: (slice) => slice.addressType },
    { name: "Ports", type: "string", value: portsText },
    { name: "Endpoints", type: "string", value: addressesText },
    ageColumn,
  ],
});
