/** Source: core/validation ValidateEndpoints (v1.36). */
import { semanticEqual } from "../../machinery/deepEqual.ts";
import { type FieldError, FieldPath, required } from "../../machinery/fieldErrors.ts";
import { portNumberReasons } from "../../machinery/names.ts";
import { because, each, endpointIp, label, legacyIp, neededOneOf, qualifiedName, subdomain } from "../checks.ts";
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from "../generated/core-v1.ts";
import { PROTOCOLS } from "./podSpec/containerPorts.ts";

const subsetsPath = new FieldPath("subsets");

const addressErrors = ({ ip = "", hostname, nodeName }: EndpointAddress, path: FieldPath): FieldError[] => [
  ...legacyIp(path.at("ip"), ip),
  ...(hostname ? label(path.at("hostname"), hostname) : []),
  ...(nodeName === undefined ? [] : subdomain(path.at("nodeName"), nodeName)),
  ...endpointIp(path.at("ip"), ip),
];

const portErrors = (port: EndpointPort, isNameNeeded: boolean, path: FieldPath): FieldError[] => [
  ...(port.name ? label(path.at("name"), port.name) : isNameNeeded ? [required(path.at("name"))] : []),
  ...because(path.at("port"), port.port ?? 0, portNumberReasons(port.port ?? 0)),
  ...neededOneOf(path.at("protocol"), port.protocol, PROTOCOLS),
  ...(port.appProtocol === undefined ? [] : qualifiedName(path.at("appProtocol"), port.appProtocol)),
];

function subsetErrors({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset, path: FieldPath) {
  const isEmpty = addresses.length === 0 && notReadyAddresses.length === 0;
  return [
    ...(isEmpty ? [required(path, "must specify `addresses` or `notReadyAddresses`")] : []),
    ...each(path.at("addresses"), addresses, addressErrors),
    ...each(path.at("notReadyAddresses"), notReadyAddresses, addressErrors),
    ...each(path.at("ports"), ports, (port, at) => portErrors(port, ports.length > 1, at)),
  ];
}

const subsetsErrors = ({ subsets }: Endpoints): FieldError[] => each(subsetsPath, subsets, subsetErrors);

/** On update what was stored before stays valid, so the subsets are checked in `validateEndpointsUpdate`. */
export const validateEndpoints = (endpoints: Endpoints): FieldError[] =>
  endpoints.metadata.resourceVersion ? [] : subsetsErrors(endpoints);

export const validateEndpointsUpdate = (next: Endpoints, previous: Endpoints): FieldError[] =>
  semanticEqual(next.subsets, previous.subsets) ? [] : subsetsErrors(next);
