import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { firstFew, NONE } from "../columns.ts";
import type { Endpoints } from "../generated/core-v1.ts";
import { withEach, withMissing } from "../missing.ts";
import { validateEndpoints, validateEndpointsUpdate } from "./endpointsValidation.ts";

const hostPort = (ip: string, port: number): string => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);

/** Every address with every port. Source: printers.go, formatEndpoints. */
function addressesText({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return NONE;
  const list = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => hostPort(ip, port))),
  );
  return firstFew(list);
}

/** The addresses behind a Service, all in one object. */
export const endpoints = defineKind<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  shortNames: ["ep"],
  scope: "Namespaced",
  storagePrefix: "/registry/services/endpoints",
  createOnUpdate: true,
  withDefaults: (endpoints) =>
    withEach(endpoints, "subsets", (subset) =>
      withEach(subset, "ports", (port) => withMissing(port, { protocol: "TCP" })),
    ),
  columns: [nameColumn, { name: "Endpoints", type: "string", value: addressesText }, ageColumn],
  validate: validateEndpoints,
  validateUpdate: validateEndpointsUpdate,
});
