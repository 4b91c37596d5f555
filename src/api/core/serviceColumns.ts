/** What `kubectl get services` prints. Source: pkg/printers/internalversion/printers.go, printService. */
import { ageColumn, type Column, nameColumn } from "../../machinery/defineKind.ts";
import { labelsText, NONE } from "../columns.ts";
import type { Service } from "../generated/core-v1.ts";

function loadBalancerAddresses(service: Service): string[] {
  const addresses = (service.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
  return [...new Set(addresses.filter((address) => address !== ""))].sort();
}

function externalIp(service: Service): string {
  const externalIps = service.spec?.externalIPs ?? [];
  switch (service.spec?.type) {
    case "ClusterIP":
    case "NodePort":
      return externalIps.join(",") || NONE;
    case "LoadBalancer":
      return [...loadBalancerAddresses(service), ...externalIps].join(",") || "<pending>";
    case "ExternalName":
      return service.spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

function portsText(service: Service): string {
  const ports = (service.spec?.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.join(",") || NONE;
}

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  { name: "Type", type: "string", value: (service) => service.spec?.type ?? "" },
  { name: "Cluster-IP", type: "string", value: (service) => service.spec?.clusterIPs?.[0] ?? NONE },
  { name: "External-IP", type: "string", value: externalIp },
  { name: "Port(s)", type: "string", value: portsText },
  ageColumn,
  { name: "Selector", type: "string", priority: 1, value: (service) => labelsText(service.spec?.selector) },
];
