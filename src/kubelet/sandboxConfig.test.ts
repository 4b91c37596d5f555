import { expect, test } from "vitest";
import { testPod } from "./podLifecycle/testPods.ts";
import { sandboxConfig } from "./sandboxConfig.ts";

const nodeResolvConf = { servers: ["1.1.1.1"], searches: [], options: [] };
const dnsOf = (dnsPolicy: "Default" | "ClusterFirstWithHostNet", isReplaced: boolean) =>
  sandboxConfig({
    pod: testPod({ hostNetwork: true, dnsPolicy }),
    attempt: 0,
    cluster: { dns: ["10.96.0.10"], domain: "cluster.local" },
    nodeResolvConf: { ...nodeResolvConf, isReplaced },
    nodeName: "n1",
    podPidsMax: undefined,
  }).dns?.servers;

test("a pod on the host's network has the machine's own resolv.conf, unless that is of no use on the node", () => {
  expect(dnsOf("Default", false)).toBeUndefined();
  expect(dnsOf("Default", true)).toEqual(["1.1.1.1"]);
  expect(dnsOf("ClusterFirstWithHostNet", false)).toEqual(["10.96.0.10"]);
});
