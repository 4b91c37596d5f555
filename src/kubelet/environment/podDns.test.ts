import { expect, test } from "vitest";
import type { Pod } from "../../api/generated/core-v1.ts";
import { testPod } from "../podLifecycle/testPods.ts";
import { hostsFile, podDns, podHostname } from "./podDns.ts";

const cluster = { dns: ["10.96.0.10"], domain: "cluster.local" };
const node = { servers: ["1.1.1.1"], searches: ["lan"], options: ["edns0"] };
const inShort = (spec: Partial<Pod["spec"]>): string => {
  const { servers, searches, options } = podDns(testPod(spec), cluster, node);
  return [servers, searches, options].map((list) => list.join(",")).join(" | ");
};

const CLUSTER_SEARCHES = "default.svc.cluster.local,svc.cluster.local,cluster.local,lan";

test.each<[string, Partial<Pod["spec"]>, string]>([
  ["ClusterFirst", {}, `10.96.0.10 | ${CLUSTER_SEARCHES} | ndots:5`],
  ["Default is the node's", { dnsPolicy: "Default" }, "1.1.1.1 | lan | edns0"],
  ["ClusterFirst with the host's network is the node's", { hostNetwork: true }, "1.1.1.1 | lan | edns0"],
  [
    "ClusterFirstWithHostNet",
    { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
    `10.96.0.10 | ${CLUSTER_SEARCHES} | ndots:5`,
  ],
  [
    "None is only what the pod says",
    {
      dnsPolicy: "None",
      dnsConfig: { nameservers: ["9.9.9.9"], searches: ["x"], options: [{ name: "ndots", value: "2" }] },
    },
    "9.9.9.9 | x | ndots:2",
  ],
  [
    "the pod's own options replace",
    { dnsConfig: { options: [{ name: "ndots", value: "1" }, { name: "rotate" }] } },
    `10.96.0.10 | ${CLUSTER_SEARCHES} | ndots:1,rotate`,
  ],
])("%s", (_, spec, want) => {
  expect(inShort(spec)).toBe(want);
});

test.each<[string, Partial<Pod["spec"]>, string]>([
  ["the pod's name", {}, "web / "],
  ["its own hostname", { hostname: "h" }, "h / "],
  ["with a subdomain", { hostname: "h", subdomain: "s" }, "h / h.s.default.svc.cluster.local"],
  [
    "as the full name",
    { hostname: "h", subdomain: "s", setHostnameAsFQDN: true },
    "h.s.default.svc.cluster.local / h.s.default.svc.cluster.local",
  ],
])("hostname: %s", (_, spec, want) => {
  const { kernelHostname, fqdn } = podHostname(testPod(spec), "cluster.local");
  expect(`${kernelHostname} / ${fqdn}`).toBe(want);
});

test("a long name is cut to what the kernel takes", () => {
  const name = `${"a".repeat(62)}.bcd`;
  expect(podHostname(testPod({}, { name }), "cluster.local").hostname).toBe("a".repeat(62));
});

test("the hosts file has the pod and its aliases", () => {
  const pod = testPod({ hostname: "h", subdomain: "s", hostAliases: [{ ip: "1.2.3.4", hostnames: ["foo", "bar"] }] });
  const lines = hostsFile(pod, ["10.0.0.1"], podHostname(pod, "cluster.local")).split("\n");
  expect(lines[0]).toBe("# Kubernetes-managed hosts file.");
  expect(lines.slice(7)).toEqual([
    "10.0.0.1\th.s.default.svc.cluster.local\th",
    "",
    "# Entries added by HostAliases.",
    "1.2.3.4\tfoo\tbar",
    "",
  ]);
});
