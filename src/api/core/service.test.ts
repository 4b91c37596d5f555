import { describe, expect, test } from "vitest";
import type { Service } from "../generated/core-v1.ts";
import { changed, testInvalidObjects, testUpdates } from "../invalidCases.ts";
import { LABEL_REASON, LABEL_VALUE_REASON, NAMESPACED_CASES, SUBDOMAIN_REASON } from "../metadataCases.ts";
import { service } from "./service.ts";

const BASE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "default" },
  spec: {
    selector: { app: "web" },
    ports: [{ port: 80 }],
    clusterIP: "10.96.0.5",
    clusterIPs: ["10.96.0.5"],
    ipFamilies: ["IPv4"],
  },
};
const EXTERNAL = {
  "spec.type": "ExternalName",
  "spec.clusterIP": undefined,
  "spec.clusterIPs": undefined,
  "spec.ipFamilies": undefined,
  "spec.ports": undefined,
};
const HEADLESS = { "spec.clusterIP": "None", "spec.clusterIPs": ["None"] };
const PORT_RANGE = "must be between 1 and 65535, inclusive";
const ONLY_BALANCED = "Forbidden: may only be used when `type` is 'LoadBalancer'";
const CONTEXT = { nowMs: 0, subresource: "", user: { name: "tester", groups: [] } };

describe("services", () => {
  testInvalidObjects(service, BASE, [
    ...NAMESPACED_CASES,
    ["a name with a dot", { "metadata.name": "a.b" }, 'metadata.name: Invalid value: "a.b": must not contain dots'],
    ["a name in capitals", { "metadata.name": "Web" }, `metadata.name: Invalid value: "Web": ${LABEL_REASON}`],
    ["no ports", { "spec.ports": [] }, "spec.ports: Required value"],
    [
      "a port of 0",
      { "spec.ports[0].port": 0 },
      `spec.ports[0].port: Invalid value: 0: ${PORT_RANGE}`,
      `spec.ports[0].targetPort: Invalid value: 0: ${PORT_RANGE}`,
    ],
    [
      "a port that is too large",
      { "spec.ports[0].port": 65536, "spec.ports[0].targetPort": 80 },
      `spec.ports[0].port: Invalid value: 65536: ${PORT_RANGE}`,
    ],
    [
      "an unknown protocol",
      { "spec.ports[0].protocol": "ICMP" },
      'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      "a target port that is no name",
      { "spec.ports[0].targetPort": "Web!" },
      'spec.ports[0].targetPort: Invalid value: "Web!": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    ],
    [
      "two ports without names",
      { "spec.ports": [{ port: 80 }, { port: 81 }] },
      "spec.ports[0].name: Required value",
      "spec.ports[1].name: Required value",
    ],
    [
      "two ports of one name",
      {
        "spec.ports": [
          { name: "a", port: 80 },
          { name: "a", port: 81 },
        ],
      },
      'spec.ports[1].name: Duplicate value: "a"',
    ],
    [
      "one port twice",
      {
        "spec.ports": [
          { name: "a", port: 80 },
          { name: "b", port: 80 },
        ],
      },
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
    [
      "a node port of a ClusterIP service",
      { "spec.ports[0].nodePort": 30000 },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      "one node port twice",
      {
        "spec.type": "NodePort",
        "spec.ports": [
          { name: "a", port: 80, nodePort: 30000 },
          { name: "b", port: 81, nodePort: 30000 },
        ],
      },
      "spec.ports[1].nodePort: Duplicate value: 30000",
    ],
    [
      "a selector value with a blank",
      { "spec.selector": { a: "b c" } },
      `spec.selector: Invalid value: "b c": ${LABEL_VALUE_REASON}`,
    ],
    [
      "an unknown type",
      { "spec.type": "Magic" },
      'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
    [
      "an unknown affinity",
      { "spec.sessionAffinity": "Cookie" },
      'spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"',
    ],
    [
      "an affinity of more than a day",
      { "spec.sessionAffinity": "ClientIP", "spec.sessionAffinityConfig": { clientIP: { timeoutSeconds: 86401 } } },
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400",
    ],
    [
      "a cluster address that is none",
      { "spec.clusterIP": "x", "spec.clusterIPs": ["x"] },
      'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      "two different cluster addresses",
      { "spec.clusterIPs": ["10.96.0.6"] },
      'spec.clusterIPs: Invalid value: ["10.96.0.6"]: first value must match `clusterIP`',
    ],
    [
      "an address of another family",
      { "spec.ipFamilies": ["IPv6"] },
      'spec.clusterIPs[0]: Invalid value: "10.96.0.5": expected an IPv6 value as indicated by `ipFamilies[0]`',
    ],
    [
      "an unknown family",
      { "spec.ipFamilies": ["IPv5"] },
      'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
    ],
    [
      "an unknown family policy",
      { "spec.ipFamilyPolicy": "Both" },
      'spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
    ],
    [
      "a headless NodePort service",
      { ...HEADLESS, "spec.type": "NodePort" },
      "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
    ],
    ["an external name that is missing", EXTERNAL, "spec.externalName: Required value"],
    [
      "an external name in capitals",
      { ...EXTERNAL, "spec.externalName": "A.example" },
      `spec.externalName: Invalid value: "A.example": ${SUBDOMAIN_REASON}`,
    ],
    [
      "an external name with a cluster address",
      { ...EXTERNAL, "spec.externalName": "a.example", "spec.clusterIPs": ["10.96.0.5"] },
      "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
    ],
    [
      "an external address of the loopback",
      { "spec.externalIPs": ["127.0.0.1"] },
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
    [
      "source ranges without a load balancer",
      { "spec.loadBalancerSourceRanges": ["10.0.0.0/8"] },
      `spec.LoadBalancerSourceRanges: ${ONLY_BALANCED}`,
    ],
    [
      "a source range with host bits",
      { "spec.type": "LoadBalancer", "spec.loadBalancerSourceRanges": ["10.0.0.1/8"] },
      'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
    ],
    [
      "a load balancer class without a load balancer",
      { "spec.loadBalancerClass": "a.example/b" },
      `spec.loadBalancerClass: ${ONLY_BALANCED}`,
    ],
    [
      "an external traffic policy of what cannot be reached",
      { "spec.externalTrafficPolicy": "Local" },
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
    [
      "a health check port that is not needed",
      { "spec.type": "NodePort", "spec.healthCheckNodePort": 30001 },
      "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
    [
      "an empty internal traffic policy",
      { "spec.internalTrafficPolicy": "" },
      'spec.internalTrafficPolicy: Unsupported value: "": supported values: "Cluster", "Local"',
    ],
    [
      "an unknown internal traffic policy",
      { "spec.internalTrafficPolicy": "Near" },
      'spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"',
    ],
    [
      "an unknown traffic distribution",
      { "spec.trafficDistribution": "Near" },
      'spec.trafficDistribution: Unsupported value: "Near": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
    ],
  ]);

  testUpdates(service, BASE, [
    ["ports may change", { "spec.ports[0].port": 81 }],
    ["the type may become NodePort", { "spec.type": "NodePort", "spec.ports[0].nodePort": 30000 }],
    ["the type may become ExternalName", { ...EXTERNAL, "spec.externalName": "a.example" }],
    [
      "the cluster address may not change",
      { "spec.clusterIP": "10.96.0.6", "spec.clusterIPs": ["10.96.0.6"] },
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.6"]: may not change once set',
    ],
    [
      "the cluster address may not go",
      { "spec.clusterIP": undefined, "spec.clusterIPs": undefined },
      "spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset",
    ],
    [
      "the service may not become headless",
      HEADLESS,
      'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
    ],
  ]);

  testUpdates(
    service,
    changed(BASE, { "spec.type": "LoadBalancer" }),
    [
      ["an address may be written", { "status.loadBalancer.ingress": [{ ip: "192.0.2.1", ipMode: "VIP" }] }],
      [
        "an address that is none",
        { "status.loadBalancer.ingress": [{ ip: "x", ipMode: "VIP" }] },
        'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
      [
        "an unknown mode",
        { "status.loadBalancer.ingress": [{ ip: "192.0.2.1", ipMode: "Route" }] },
        'status.loadBalancer.ingress[0].ipMode: Unsupported value: "Route": supported values: "Proxy", "VIP"',
      ],
      [
        "a host name that is an address",
        { "status.loadBalancer.ingress": [{ hostname: "192.0.2.1" }] },
        'status.loadBalancer.ingress[0].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
      ],
    ],
    "status",
  );

  test("the defaults are upstream's", () => {
    const made = service.withDefaults(BASE as unknown as Service);
    expect(made.spec).toMatchObject({
      type: "ClusterIP",
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
    });
    expect(made.spec?.externalTrafficPolicy).toBeUndefined();
    const balanced = service.withDefaults(changed(BASE, { "spec.type": "LoadBalancer" }) as unknown as Service);
    expect(balanced.spec).toMatchObject({ externalTrafficPolicy: "Cluster", allocateLoadBalancerNodePorts: true });
    expect(service.withDefaults(balanced)).toBe(balanced);
  });

  test("what only the old type has is dropped", () => {
    const previous = service.withDefaults(changed(BASE, { "spec.type": "LoadBalancer" }) as unknown as Service);
    const next = service.prepareForUpdate(changed(previous, { "spec.type": "ClusterIP" }), previous, CONTEXT);
    expect(next.spec?.allocateLoadBalancerNodePorts).toBeUndefined();
    expect(next.spec?.externalTrafficPolicy).toBeUndefined();
  });

  test.each([
    ["a ClusterIP service", {}, "web ClusterIP 10.96.0.5 <none> 80/TCP app=web"],
    [
      "a NodePort service",
      { "spec.type": "NodePort", "spec.ports[0].nodePort": 30000 },
      "web NodePort 10.96.0.5 <none> 80:30000/TCP app=web",
    ],
    [
      "a load balancer that waits",
      { "spec.type": "LoadBalancer" },
      "web LoadBalancer 10.96.0.5 <pending> 80/TCP app=web",
    ],
    [
      "a load balancer with addresses",
      { "spec.type": "LoadBalancer", "status.loadBalancer.ingress": [{ ip: "192.0.2.2" }, { hostname: "a.example" }] },
      "web LoadBalancer 10.96.0.5 192.0.2.2,a.example 80/TCP app=web",
    ],
    [
      "an external name",
      { ...EXTERNAL, "spec.externalName": "a.example" },
      "web ExternalName <none> a.example <none> app=web",
    ],
  ])("prints %s", (_, change, expected) => {
    const one = service.withDefaults(changed(BASE, change) as unknown as Service);
    const cells = service.columns.filter(({ name }) => name !== "Age").map(({ value }) => value(one, { nowMs: 0 }));
    expect(cells.join(" ")).toBe(expected);
  });
});
