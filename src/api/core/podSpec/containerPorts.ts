/** Source: core/validation validateContainerPorts, checkHostPortConflicts. */
import { duplicate, type FieldError, type FieldPath, required } from "../../../machinery/fieldErrors.ts";
import { portNameReasons, portNumberReasons } from "../../../machinery/names.ts";
import { because, each, neededOneOf, seenBefore } from "../../checks.ts";
import type { Container, ContainerPort } from "../../generated/core-v1.ts";

export const PROTOCOLS = ["SCTP", "TCP", "UDP"];

export function validateContainerPorts(ports: readonly ContainerPort[] | undefined, path: FieldPath): FieldError[] {
  const names = new Set<string>();
  return each(path, ports, ({ name, containerPort, hostPort, protocol }, at) => {
    const errors: FieldError[] = [];
    if (name) {
      const reasons = portNameReasons(name);
      errors.push(...because(at.at("name"), name, reasons));
      if (reasons.length === 0 && seenBefore(names, name)) errors.push(duplicate(at.at("name"), name));
    }
    if (!containerPort) errors.push(required(at.at("containerPort")));
    else errors.push(...because(at.at("containerPort"), containerPort, portNumberReasons(containerPort)));
    if (hostPort) errors.push(...because(at.at("hostPort"), hostPort, portNumberReasons(hostPort)));
    return [...errors, ...neededOneOf(at.at("protocol"), protocol, PROTOCOLS)];
  });
}

export function validateHostPortConflicts(containers: readonly Container[], path: FieldPath): FieldError[] {
  const taken = new Set<string>();
  return each(path, containers, ({ ports }, at) =>
    each(at.at("ports"), ports, ({ hostPort, hostIP = "", protocol }, portPath) => {
      const text = `${protocol}/${hostIP}/${hostPort}`;
      return hostPort && seenBefore(taken, text) ? [duplicate(portPath.at("hostPort"), text)] : [];
    }),
  );
}
