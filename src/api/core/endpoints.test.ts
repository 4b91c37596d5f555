import { describe, expect, test } from "vitest";
import { endpointSlice } from "../discovery/endpointSlice.ts";
import type { Endpoints } from "../generated/core-v1.ts";
import type { EndpointSlice } from "../generated/discovery-v1.ts";
import { changed, testInvalidObjects, testUpdates } from "../invalidCases.ts";
import { LABEL_REASON, LABEL_VALUE_REASON, NAMESPACED_CASES, SUBDOMAIN_REASON } from "../metadataCases.ts";
import { endpoints } from "./endpoints.ts";

const NO_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const PORT_RANGE = "must be between 1 and 65535, inclusive";

describe("endpoints", () => {
  const BASE = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "web", namespace: "default" },
    subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }],
  };
  testInvalidObjects(endpoints, BASE, [
    ...NAMESPACED_CASES,
    ["a name in capitals", { "metadata.name": "Web" }, `metadata.name: Invalid value: "Web": ${SUBDOMAIN_REASON}`],
    [
      "a subset without addresses",
      { "subsets[0].addresses": [] },
      "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
    ],
    [
      "an address that is none",
      { "subsets[0].addresses[0].ip": "x" },
      `subsets[0].addresses[0].ip: Invalid value: "x": ${NO_IP}`,
      'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address',
    ],
    [
      "an unspecified address",
      { "subsets[0].addresses[0].ip": "0.0.0.0" },
      'subsets[0].addresses[0].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
    ],
    [
      "a link-local address",
      { "subsets[0].notReadyAddresses": [{ ip: "169.254.1.1" }] },
      'subsets[0].notReadyAddresses[0].ip: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    ],
    [
      "a host name in capitals",
      { "subsets[0].addresses[0].hostname": "A" },
      `subsets[0].addresses[0].hostname: Invalid value: "A": ${LABEL_REASON}`,
    ],
    ["a port of 0", { "subsets[0].ports[0].port": 0 }, `subsets[0].ports[0].port: Invalid value: 0: ${PORT_RANGE}`],
    [
      "an unknown protocol",
      { "subsets[0].ports[0].protocol": "ICMP" },
      'subsets[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      "several ports without names",
      { "subsets[0].ports": [{ port: 80 }, { port: 81 }] },
      "subsets[0].ports[0].name: Required value",
      "subsets[0].ports[1].name: Required value",
    ],
  ]);
  testUpdates(endpoints, BASE, [
    ["addresses may change", { "subsets[0].addresses[0].ip": "10.0.0.2" }],
    [
      "addresses stay addresses",
      { "subsets[0].addresses[0].ip": "127.0.0.1" },
      'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ]);

  test.each([
    ["none", [], "<none>"],
    ["one", ["10.0.0.1"], "10.0.0.1:80"],
    [
      "five",
      ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"],
      "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...",
    ],
    ["of IPv6", ["2001:db8::1"], "[2001:db8::1]:80"],
  ])("prints addresses: %s", (_, addresses, expected) => {
    const subsets =
      addresses.length === 0 ? [] : [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ port: 80 }] }];
    const one = changed(BASE, { subsets }) as unknown as Endpoints;
    expect(endpoints.columns[1]?.value(one, { nowMs: 0 })).toBe(expected);
  });
});

describe("endpoint slices", () => {
  const BASE = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "web-abc", namespace: "default" },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }],
    ports: [{ name: "http", port: 80 }],
  };
  const E0 = "endpoints[0]";
  testInvalidObjects(endpointSlice, BASE, [
    ...NAMESPACED_CASES,
    ["a name in capitals", { "metadata.name": "Web" }, `metadata.name: Invalid value: "Web": ${SUBDOMAIN_REASON}`],
    ["no address type", { addressType: "" }, "addressType: Required value"],
    [
      "an unknown address type",
      { addressType: "IPX" },
      'addressType: Unsupported value: "IPX": supported values: "FQDN", "IPv4", "IPv6"',
    ],
    [
      "an endpoint without addresses",
      { [`${E0}.addresses`]: [] },
      "endpoints[0].addresses: Required value: must contain at least 1 address",
    ],
    [
      "an address that is none",
      { [`${E0}.addresses`]: ["x"] },
      `endpoints[0].addresses[0]: Invalid value: "x": ${NO_IP}`,
    ],
    [
      "an IPv6 address in an IPv4 slice",
      { [`${E0}.addresses`]: ["2001:db8::1"] },
      'endpoints[0].addresses: Invalid value: "2001:db8::1": must be an IPv4 address',
    ],
    [
      "an IPv6 address that is not canonical",
      { addressType: "IPv6", [`${E0}.addresses`]: ["2001:DB8::1"] },
      'endpoints[0].addresses[0]: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")',
    ],
    [
      "a domain of one segment",
      { addressType: "FQDN", [`${E0}.addresses`]: ["web"] },
      'endpoints[0].addresses[0]: Invalid value: "web": should be a domain with at least two segments separated by dots',
    ],
    [
      "a node name in capitals",
      { [`${E0}.nodeName`]: "N" },
      `endpoints[0].nodeName: Invalid value: "N": ${SUBDOMAIN_REASON}`,
    ],
    [
      "a host name in capitals",
      { [`${E0}.hostname`]: "H" },
      `endpoints[0].hostname: Invalid value: "H": ${LABEL_REASON}`,
    ],
    [
      "a zone hint twice",
      { [`${E0}.hints`]: { forZones: [{ name: "a" }, { name: "a" }] } },
      'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
    ],
    [
      "a zone hint with a blank",
      { [`${E0}.hints`]: { forZones: [{ name: "a b" }] } },
      `endpoints[0].hints.forZones[0].name: Invalid value: "a b": ${LABEL_VALUE_REASON}`,
    ],
    [
      "too many endpoints",
      { endpoints: Array.from({ length: 1001 }, () => ({ addresses: ["10.0.0.1"] })) },
      "endpoints: Too many: 1001: must have at most 1000 items",
    ],
    ["a port name in capitals", { "ports[0].name": "A" }, `ports[0].name: Invalid value: "A": ${LABEL_REASON}`],
    ["two ports of one name", { "ports[1]": { name: "http", port: 81 } }, 'ports[1].name: Duplicate value: "http"'],
    [
      "an unknown protocol",
      { "ports[0].protocol": "ICMP" },
      'ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
  ]);
  testUpdates(endpointSlice, BASE, [
    ["addresses may change", { [`${E0}.addresses`]: ["10.0.0.2"] }],
    [
      "the address type may not change",
      { addressType: "FQDN", [`${E0}.addresses`]: ["a.example"] },
      'addressType: Invalid value: "FQDN": field is immutable',
    ],
  ]);

  test("prints ports and addresses", () => {
    const cells = endpointSlice.columns.map(({ value }) => value(BASE as unknown as EndpointSlice, { nowMs: 0 }));
    expect(cells).toEqual(["web-abc", "IPv4", "80", "10.0.0.1", null]);
  });
});
