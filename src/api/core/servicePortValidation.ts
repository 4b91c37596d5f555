/** Ports of a Service. Source: core/validation validateServicePort, validateService (v1.36). */
import { duplicate, type FieldError, FieldPath, forbiddenField, required } from "../../machinery/fieldErrors.ts";
import { portNumberReasons } from "../../machinery/names.ts";
import { because, each, label, neededOneOf, qualifiedName, seenBefore } from "../checks.ts";
import type { ServicePort, ServiceSpec } from "../generated/core-v1.ts";
import { PROTOCOLS } from "./podSpec/containerPorts.ts";
import { validatePort } from "./podSpec/probes.ts";
import { isHeadless } from "./serviceAddressValidation.ts";

const portsPath = new FieldPath("spec").at("ports");

function nameErrors({ name }: ServicePort, seen: Set<string>, isNeeded: boolean, path: FieldPath): FieldError[] {
  if (!name) return isNeeded ? [required(path)] : [];
  return [...label(path, name), ...(seenBefore(seen, name) ? [duplicate(path, name)] : [])];
}

/** The same protocol and number twice; shown as the internal form of a port with nothing else in it. */
const repeatedPort = ({ protocol = "", port }: ServicePort) => ({
  Name: "",
  Protocol: protocol,
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
});

export function validateServicePorts(spec: ServiceSpec): FieldError[] {
  const { ports = [], type } = spec;
  if (ports.length === 0) return isHeadless(spec) || type === "ExternalName" ? [] : [required(portsPath)];
  const names = new Set<string>();
  return each(portsPath, ports, (port, at) => [
    ...nameErrors(port, names, ports.length > 1, at.at("name")),
    ...because(at.at("port"), port.port ?? 0, portNumberReasons(port.port ?? 0)),
    ...neededOneOf(at.at("protocol"), port.protocol, PROTOCOLS),
    ...validatePort(port.targetPort ?? 0, at.at("targetPort")),
    ...(port.appProtocol === undefined ? [] : qualifiedName(at.at("appProtocol"), port.appProtocol)),
  ]);
}

/** What ports are to each other, and node ports to the type. */
export function validatePortUse({ ports, type }: ServiceSpec): FieldError[] {
  const nodePorts = new Set<string>();
  const numbers = new Set<string>();
  const unused =
    type === "ClusterIP"
      ? each(portsPath, ports, ({ nodePort }, at) =>
          nodePort ? [forbiddenField(at.at("nodePort"), "may not be used when `type` is 'ClusterIP'")] : [],
        )
      : [];
  return [
    ...unused,
    ...each(portsPath, ports, ({ protocol, nodePort }, at) =>
      nodePort && seenBefore(nodePorts, `${protocol}/${nodePort}`) ? [duplicate(at.at("nodePort"), nodePort)] : [],
    ),
    ...each(portsPath, ports, (port, at) =>
      seenBefore(numbers, `${port.protocol}/${port.port}`) ? [duplicate(at, repeatedPort(port))] : [],
    ),
  ];
}
