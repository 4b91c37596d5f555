import { expect, test } from "vitest";
import { testPod } from "./podLifecycle/testPods.ts";
import { normalizedSysctl, sysctlRejection } from "./sysctls.ts";

test.each([
  { name: "one of the pod's own network", sysctl: "net.ipv4.ip_local_port_range", want: undefined },
  { name: "the same with slashes", sysctl: "net/ipv4/ip_local_port_range", want: undefined },
  { name: "one that others would feel", sysctl: "kernel.msgmax", want: '"kernel.msgmax" not allowlisted' },
  {
    name: "one of the network that it shares with the node",
    sysctl: "net.ipv4.tcp_rmem",
    spec: { hostNetwork: true },
    want: '"net.ipv4.tcp_rmem" not allowed with host net enabled',
  },
  {
    name: "one of the memory that it shares with the node",
    sysctl: "kernel.shm_rmid_forced",
    spec: { hostIPC: true },
    want: '"kernel.shm_rmid_forced" not allowed with host ipc enabled',
  },
])("a kernel setting: $name", ({ sysctl, spec, want }) => {
  const pod = testPod({ securityContext: { sysctls: [{ name: sysctl, value: "1" }] }, ...spec });
  const message = want === undefined ? undefined : `forbidden sysctl: ${want}`;
  expect(sysctlRejection(pod)?.message).toBe(message);
});

test("dots within a name that is spelt with slashes stay apart from its separators", () => {
  expect(normalizedSysctl("net/ipv4/conf/eth0.1/forwarding")).toBe("net.ipv4.conf.eth0/1.forwarding");
});
