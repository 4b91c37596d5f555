import { describe, expect, test } from "vitest";
import { endpointSlice } from "../discovery/endpointSlice.ts";
import type { Endpoints, Node, Service } from "../generated/core-v1.ts";
import type { EndpointSlice } from "../generated/discovery-v1.ts";
import { type Change, changed } from "../invalidCases.ts";
import { endpoints } from "./endpoints.ts";
import { node } from "./node.ts";
import { service } from "./service.ts";

const CONTEXT = { nowMs: 0, subresource: "", user: { name: "tester", groups: [] } };
const metadata = { name: "web", namespace: "default" };
const SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  metadata,
  spec: {
    type: "ClusterIP",
    clusterIP: "10.96.0.9",
    clusterIPs: ["10.96.0.9"],
    sessionAffinity: "None",
    ports: [{ port: 80 }],
  },
} as unknown as Service;

const HEADLESS = { "spec.clusterIP": "None", "spec.clusterIPs": ["None"] };
const EXTERNAL = "spec.externalIPs is deprecated and may no longer be implemented in some clusters";

describe("remarks on services", () => {
  test.each<{ name: string; change: Change; want: string[] }>([
    { name: "an ordinary service", change: {}, want: [] },
    { name: "a headless service", change: HEADLESS, want: [] },
    {
      name: "the old annotation for topology",
      change: { "metadata.annotations": { "service.kubernetes.io/topology-aware-hints": "auto" } },
      want: [
        "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead",
      ],
    },
    {
      name: "a headless service that would be balanced",
      change: {
        ...HEADLESS,
        "spec.loadBalancerIP": "1.2.3.4",
        "spec.externalIPs": ["1.2.3.4"],
        "spec.sessionAffinity": "ClientIP",
      },
      want: [
        "spec.loadBalancerIP is ignored for headless services",
        "spec.externalIPs is ignored for headless services",
        "spec.SessionAffinity is ignored for headless services",
      ],
    },
    {
      name: "oddly written addresses",
      change: {
        "spec.clusterIPs": ["10.96.0.9", "FD00::9"],
        "spec.externalIPs": ["FD00::1"],
        "spec.loadBalancerIP": "FD00::2",
        "spec.loadBalancerSourceRanges": ["FD00::/64"],
      },
      want: [
        'spec.clusterIPs[1]: IPv6 address "FD00::9" should be in RFC 5952 canonical format ("fd00::9")',
        'spec.externalIPs[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
        EXTERNAL,
        'spec.loadBalancerIP: IPv6 address "FD00::2" should be in RFC 5952 canonical format ("fd00::2")',
        'spec.loadBalancerSourceRanges[0]: IPv6 CIDR value "FD00::/64" should be in RFC 5952 canonical format ("fd00::/64")',
      ],
    },
    { name: "addresses from outside", change: { "spec.externalIPs": ["1.2.3.4"] }, want: [EXTERNAL] },
    {
      name: "an alias with addresses",
      change: { spec: { type: "ExternalName", externalName: "a.b", externalIPs: ["1.2.3.4"] } },
      want: ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
    },
    {
      name: "a name that is no alias",
      change: { "spec.externalName": "a.b" },
      want: ['spec.externalName is ignored when spec.type is not "ExternalName"'],
    },
    {
      name: "the old word for near",
      change: { "spec.trafficDistribution": "PreferClose" },
      want: ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
    },
  ])("$name", ({ change, want }) => {
    expect(service.warnings(changed(SERVICE, change))).toEqual(want);
  });
});

describe("remarks on endpoints", () => {
  const ENDPOINTS = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata,
    subsets: [{ addresses: [{ ip: "10.0.0.1" }, { ip: "FD00::1" }], notReadyAddresses: [{ ip: "010.0.0.2" }] }],
  } as unknown as Endpoints;
  const SLICE = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata,
    addressType: "IPv6",
    endpoints: [{ addresses: ["FD00::1"] }],
  } as unknown as EndpointSlice;
  const odd = (path: string) => `${path}: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")`;

  test("addresses that are oddly written", () => {
    expect(endpoints.warnings(ENDPOINTS)).toEqual([
      odd("subsets[0].addresses[1].ip"),
      'subsets[0].notReadyAddresses[0].ip: non-standard IP address "010.0.0.2" is invalid: use "10.0.0.2"',
    ]);
    expect(endpointSlice.warnings(SLICE)).toEqual([odd("endpoints[0].addresses[0]")]);
  });

  test("none on what the controllers write", () => {
    const label = (kind: string, manager: string) => ({
      [`metadata.labels[${kind}.kubernetes.io/managed-by]`]: manager,
    });
    expect(endpoints.warnings(changed(ENDPOINTS, label("endpoints", "endpoint-controller")))).toEqual([]);
    const slice = changed(SLICE, label("endpointslice", "endpointslice-controller.k8s.io"));
    expect(endpointSlice.warnings(slice)).toEqual([]);
  });

  test("names as addresses, once", () => {
    const named = changed(SLICE, { addressType: "FQDN", endpoints: [{ addresses: ["a.example.com"] }] });
    expect(endpointSlice.warnings(named)).toEqual(["spec.addressType: FQDN endpoints are deprecated"]);
    expect(endpointSlice.warnings(named, named)).toEqual([]);
  });

  test("Endpoints are to go", () => {
    expect(endpoints.deprecation).toBe("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
    expect(endpointSlice.deprecation).toBeUndefined();
  });
});

describe("old fields of nodes", () => {
  const NODE = { apiVersion: "v1", kind: "Node", metadata: { name: "n" }, spec: {}, status: {} } as unknown as Node;
  const source = { configMap: { name: "a", namespace: "b", kubeletConfigKey: "c" } };
  const configured = changed(NODE, { "spec.configSource": source, "status.config": { assigned: source } });

  test("are remarked on", () => {
    expect(node.warnings(changed(configured, { "spec.externalID": "x" }))).toEqual([
      "spec.configSource: the feature is removed",
      "spec.externalID: this field is deprecated, and is unused by Kubernetes",
    ]);
    expect(node.warnings(NODE)).toEqual([]);
  });

  test("are dropped, and kept where they are stored", () => {
    expect(node.prepareForCreate(configured, CONTEXT)).toEqual(NODE);
    expect(node.prepareForUpdate(changed(NODE, { "spec.configSource": source }), NODE, CONTEXT)).toEqual(NODE);
    expect(node.prepareForUpdate(configured, configured, CONTEXT)).toBe(configured);
    const ofStatus = { ...CONTEXT, subresource: "status" };
    const status = changed(NODE, { "status.config": { assigned: source } });
    expect(node.prepareForUpdate(status, NODE, ofStatus)).toEqual(NODE);
    expect(node.prepareForUpdate(status, configured, ofStatus)).toBe(status);
  });
});
