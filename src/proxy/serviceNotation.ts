import type { Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import { SERVICE_NAME_LABEL } from "./rules.ts";

const META = { resourceVersion: "1", uid: "u", creationTimestamp: "2026-01-01T00:00:00Z" };

/**
 * A Service from a line: name, cluster IP, ports, settings.
 * "web 10.96.0.9 http:80 dns:53/UDP" · "web 10.96.0.9 80@30080" (node port)
 */
export function service(line: string, spec: Partial<Service["spec"]> = {}, status: Service["status"] = {}): Service {
  const [name = "", clusterIP = "", ...ports] = line.split(" ");
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...META, name, namespace: "default" },
    spec: {
      clusterIP,
      type: ports.some((port) => port.includes("@")) ? "NodePort" : "ClusterIP",
      ports: ports.map((text) => {
        const [, portName, port = "", protocol = "TCP", nodePort] =
          /^(?:([a-z-]+):)?(\d+)(?:\/(\w+))?(?:@(\d+))?$/.exec(text) ?? [];
        return {
          ...(portName ? { name: portName } : {}),
          port: Number(port),
          protocol,
          ...(nodePort ? { nodePort: Number(nodePort) } : {}),
        };
      }),
      ...spec,
    },
    status,
  };
}

/**
 * A slice from a line: service, ports, then endpoints as address@node with marks: ! not ready, ~ terminating but serving,
 * % terminating and no longer serving, >node meant for clients there, >>zone likewise, #host a hostname.
 * "web http:8080,dns:53/UDP 10.244.0.2@a 10.244.1.3@b!"
 */
export function slice(line: string, name = "1"): EndpointSlice {
  const [owner = "", ports = "", ...endpoints] = line.split(" ");
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...META, name: `${owner}-${name}`, namespace: "default", labels: { [SERVICE_NAME_LABEL]: owner } },
    addressType: "IPv4",
    ports: ports.split(",").map((text) => {
      const [, portName = "", port = "", protocol = "TCP"] = /^(?:([a-z-]+):)?(\d+)(?:\/(\w+))?$/.exec(text) ?? [];
      return { name: portName, port: Number(port), protocol };
    }),
    endpoints: endpoints.map((text) => {
      const [, address = "", node, mark = "", hints, hint = "", hostname] =
        /^([\d.]+)(?:@(\w+))?([!~%]?)(?:(>>?)(\w+))?(?:#(.+))?$/.exec(text) ?? [];
      return {
        addresses: [address],
        ...(node ? { nodeName: node } : {}),
        ...(hostname ? { hostname } : {}),
        ...(hints ? { hints: { [hints === ">" ? "forNodes" : "forZones"]: [{ name: hint }] } } : {}),
        conditions: {
          ready: mark === "",
          serving: mark !== "!" && mark !== "%",
          terminating: mark === "~" || mark === "%",
        },
      };
    }),
  };
}
