/** Services and slices for tests, each from one line. */
import type { Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";

const META = { resourceVersion: "1", uid: "u", creationTimestamp: "2026-01-01T00:00:00Z" };
const PORT = /^(?:([a-z-]+):)?(\d+)(?:\/(\w+))?$/;

const portOf = (text: string) => {
  const [, name, port = "", protocol = "TCP"] = PORT.exec(text) ?? [];
  return { ...(name ? { name } : {}), port: Number(port), protocol };
};

/** "namespace/name address ports…": a cluster IP, "None" for headless, or a name (or >address) for ExternalName. */
export function dnsService(line: string): Service {
  const [key = "", address = "", ...ports] = line.split(" ");
  const [namespace = "", name = ""] = key.split("/");
  const external = /[g-z>]/.test(address) && address !== "None";
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...META, name, namespace },
    spec: external
      ? { type: "ExternalName", externalName: address.replace(/^>/, "") }
      : { type: "ClusterIP", clusterIP: address, clusterIPs: [address], ports: ports.map(portOf) },
    status: {},
  };
}

/** "namespace/service ports endpoints…": ports with commas or "-"; an endpoint is address, ! not ready, #hostname. */
export function dnsSlice(line: string): EndpointSlice {
  const [key = "", ports = "", ...endpoints] = line.split(" ");
  const [namespace = "", name = ""] = key.split("/");
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...META, name: `${name}-x`, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: ports === "-" ? [] : ports.split(",").map(portOf),
    endpoints: endpoints.map((text) => {
      const [, address = "", mark, hostname] = /^([\d.]+)(!?)(?:#(.+))?$/.exec(text) ?? [];
      return { addresses: [address], conditions: { ready: mark !== "!" }, ...(hostname ? { hostname } : {}) };
    }),
  };
}
