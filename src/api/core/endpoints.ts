import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { FieldPath } from "../../machinery/fieldErrors.ts";
import { ipWarnings } from "../../machinery/ipWarnings.ts";
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

const MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by";
const subsetsPath = new FieldPath("subsets");

/** What the controller writes needs no look. Source: registry/core/endpoint strategy.go, endpointsWarnings. */
function endpointsWarnings({ metadata, subsets = [] }: Endpoints): string[] {
  if (metadata.labels?.[MANAGED_BY_LABEL] === "endpoint-controller") return [];
  return subsets.flatMap((subset, index) =>
    (["addresses", "notReadyAddresses"] as const).flatMap((field) =>
      (subset[field] ?? []).flatMap(({ ip }, at) =>
        ipWarnings(subsetsPath.index(index).at(field).index(at).at("ip"), ip),
      ),
    ),
  );
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
  warnings: endpointsWarnings,
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
});
