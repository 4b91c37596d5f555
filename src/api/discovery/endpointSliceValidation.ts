/** Source: apis/discovery/validation ValidateEndpointSlice (v1.36). */
import { semanticEqual } from "../../machinery/deepEqual.ts";
import { duplicate, type FieldError, FieldPath, invalid, required, tooMany } from "../../machinery/fieldErrors.ts";
import { parseIp } from "../../machinery/ipAddress.ts";
import { ipReasons } from "../../machinery/ipReasons.ts";
import { validateLabels } from "../../machinery/labelSelector.ts";
import { dns1123Label, dns1123Subdomain } from "../../machinery/names.ts";
import { validateImmutable } from "../../machinery/objectMeta.ts";
import {
  because,
  each,
  endpointIp,
  label,
  labelValue,
  legacyIp,
  neededOneOf,
  oneOf,
  qualifiedName,
  seenBefore,
  subdomain,
} from "../checks.ts";
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from "../generated/discovery-v1.ts";

/** Source: apis/discovery/validation validation.go. */
const TOPOLOGY_LABELS_MAX = 16;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20_000;
const ENDPOINTS_MAX = 1000;
const HINTS_MAX = 8;

const endpointsPath = new FieldPath("endpoints");
const typePath = new FieldPath("addressType");

/** Source: util/validation IsFullyQualifiedDomainName. */
function domainErrors(path: FieldPath, text: string): FieldError[] {
  if (text === "") return [required(path)];
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  const reasons = dns1123Subdomain(name);
  if (reasons.length > 0) return [invalid(path, name, reasons.join(","))];
  const labels = name.split(".");
  if (labels.length < 2)
    return [invalid(path, name, "should be a domain with at least two segments separated by dots")];
  const wrong = labels.find((one) => dns1123Label(one).length > 0);
  return wrong === undefined ? [] : [invalid(path, wrong, dns1123Label(wrong).join(","))];
}

function addressErrors(address: string, type: string, at: FieldPath, path: FieldPath): FieldError[] {
  if (type === "FQDN") return domainErrors(at, address);
  if (type !== "IPv4" && type !== "IPv6") return [];
  const errors = type === "IPv4" ? legacyIp(at, address) : because(at, address, ipReasons(address));
  if (errors.length > 0) return errors;
  const matches = `IPv${parseIp(address, { sloppy: true })?.family}` === type;
  return [...(matches ? [] : [invalid(path, address, `must be an ${type} address`)]), ...endpointIp(at, address)];
}

function countErrors(addresses: readonly string[], path: FieldPath): FieldError[] {
  if (addresses.length === 0) return [required(path, "must contain at least 1 address")];
  return addresses.length > ADDRESSES_MAX ? [tooMany(path, addresses.length, ADDRESSES_MAX)] : [];
}

type Named = { readonly name: string };

function hintErrors(
  hints: readonly Named[] = [],
  check: (path: FieldPath, name: string) => FieldError[],
  path: FieldPath,
) {
  const seen = new Set<string>();
  return each(path, hints, ({ name }, at) => [
    ...(seenBefore(seen, name) ? [duplicate(at.at("name"), name)] : []),
    ...check(at.at("name"), name),
  ]);
}

function hintsErrors({ forZones = [], forNodes = [] }: EndpointHints, path: FieldPath): FieldError[] {
  const [zones, nodes] = [path.at("forZones"), path.at("forNodes")];
  if (forZones.length > HINTS_MAX) return [tooMany(zones, forZones.length, HINTS_MAX)];
  const errors = hintErrors(forZones, labelValue, zones);
  if (forNodes.length > HINTS_MAX) return [...errors, tooMany(nodes, forNodes.length, HINTS_MAX)];
  return [...errors, ...hintErrors(forNodes, subdomain, nodes)];
}

function endpointErrors(endpoint: Endpoint, type: string, path: FieldPath): FieldError[] {
  const { addresses = [], nodeName, hostname, hints, deprecatedTopology = {} } = endpoint;
  const at = path.at("addresses");
  const topology = path.at("deprecatedTopology");
  const labels = Object.keys(deprecatedTopology).length;
  return [
    ...countErrors(addresses, at),
    ...each(at, addresses, (address, index) => addressErrors(address, type, index, at)),
    ...(nodeName === undefined ? [] : subdomain(path.at("nodeName"), nodeName)),
    ...(labels > TOPOLOGY_LABELS_MAX ? [tooMany(topology, labels, TOPOLOGY_LABELS_MAX)] : []),
    ...validateLabels(deprecatedTopology, topology),
    ...(hostname === undefined ? [] : label(path.at("hostname"), hostname)),
    ...(hints === undefined ? [] : hintsErrors(hints, path.at("hints"))),
  ];
}

function portErrors(ports: readonly EndpointPort[] = []): FieldError[] {
  const path = new FieldPath("ports");
  if (ports.length > PORTS_MAX) return [tooMany(path, ports.length, PORTS_MAX)];
  const seen = new Set<string>();
  return each(path, ports, ({ name = "", protocol, appProtocol }, at) => [
    ...(name === "" ? [] : label(at.at("name"), name)),
    ...(seenBefore(seen, name) ? [duplicate(at.at("name"), name)] : []),
    ...(protocol === undefined
      ? [required(at.at("protocol"))]
      : oneOf(at.at("protocol"), protocol, ["SCTP", "TCP", "UDP"])),
    ...(appProtocol === undefined ? [] : qualifiedName(at.at("appProtocol"), appProtocol)),
  ]);
}

function endpointsErrors({ endpoints, addressType }: EndpointSlice): FieldError[] {
  const count = endpoints?.length ?? 0;
  if (count > ENDPOINTS_MAX) return [tooMany(endpointsPath, count, ENDPOINTS_MAX)];
  return each(endpointsPath, endpoints, (endpoint, at) => endpointErrors(endpoint, addressType, at));
}

/** On update what was stored before stays valid, so the endpoints are checked in `validateEndpointSliceUpdate`. */
export const validateEndpointSlice = (slice: EndpointSlice): FieldError[] => [
  ...neededOneOf(typePath, slice.addressType, ["FQDN", "IPv4", "IPv6"]),
  ...portErrors(slice.ports),
  ...(slice.metadata.resourceVersion ? [] : endpointsErrors(slice)),
];

export const validateEndpointSliceUpdate = (next: EndpointSlice, previous: EndpointSlice): FieldError[] => [
  ...(semanticEqual(next.endpoints, previous.endpoints) ? [] : endpointsErrors(next)),
  ...validateImmutable(next.addressType, previous.addressType, typePath),
];
