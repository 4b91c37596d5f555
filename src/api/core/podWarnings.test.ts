import { expect, test } from "vitest";
import type { Pod } from "../generated/core-v1.ts";
import { type Change, changed } from "../invalidCases.ts";
import { pod } from "./pod.ts";

const BASE = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default" },
  spec: { containers: [{ name: "a", image: "example/web" }] },
};
const C0 = "spec.containers[0]";

test.each<[string, Change, string[]]>([
  ["nothing unusual", {}, []],
  [
    "an old node label",
    { "spec.nodeSelector": { "beta.kubernetes.io/os": "linux" } },
    ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  ],
  [
    "a variable that hides another",
    {
      [`${C0}.env`]: [
        { name: "A", value: "1" },
        { name: "A", value: "2" },
      ],
    },
    ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
  ],
  [
    "a variable that builds on another",
    {
      [`${C0}.env`]: [
        { name: "A", value: "1" },
        { name: "A", value: "$(A)2" },
      ],
    },
    [],
  ],
  [
    "half a byte",
    { [`${C0}.resources`]: { limits: { memory: "100m" } } },
    [
      'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
      'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
    ],
  ],
  [
    "one port in two containers",
    {
      [`${C0}.ports`]: [{ containerPort: 80 }],
      "spec.containers[1]": { name: "b", image: "b", ports: [{ containerPort: 80 }] },
    },
    ["spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]"],
  ],
  [
    "an affinity without a selector",
    { "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution": [{ topologyKey: "zone" }] },
    [
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod",
    ],
  ],
  [
    "an old node label in an affinity",
    {
      "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution": [
        {
          weight: 1,
          preference: { matchExpressions: [{ key: "beta.kubernetes.io/arch", operator: "In", values: ["a b"] }] },
        },
      ],
    },
    [
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead',
      expect.stringMatching(/matchExpressions\[0\]\.values\[0\]: a b is invalid, a valid label must be/),
    ],
  ],
  [
    "annotations that have no function",
    {
      "metadata.annotations": {
        "scheduler.alpha.kubernetes.io/critical-pod": "",
        "seccomp.security.alpha.kubernetes.io/pod": "unconfined",
        "container.seccomp.security.alpha.kubernetes.io/a": "unconfined",
      },
    },
    [
      'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
      'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/a]: non-functional in v1.27+; use the "seccompProfile" field instead',
    ],
  ],
  [
    "a file where another has its directory",
    {
      "spec.volumes[0]": {
        name: "v",
        configMap: {
          name: "c",
          items: [
            { key: "a", path: "etc" },
            { key: "b", path: "etc/b" },
          ],
        },
      },
    },
    ['volume "v" (ConfigMap "c"): overlapping paths: "etc/b" with "etc"'],
  ],
  [
    "two sources of one file",
    {
      "spec.volumes[0]": {
        name: "v",
        projected: {
          sources: [
            { serviceAccountToken: { path: "t" } },
            { secret: { name: "s", items: [{ key: "k", path: "t/" }] } },
            {},
          ],
        },
      },
    },
    [
      'volume "v" (Projected) has no sources provided',
      'volume "v" (Projected): overlapping paths: "t" (Secret "s") with "t" (ServiceAccountToken)',
    ],
  ],
  [
    "a host's address without a host's port",
    { [`${C0}.ports`]: [{ containerPort: 80, hostIP: "10.0.0.1" }] },
    [
      "spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}",
    ],
  ],
  [
    "a pull secret without a name",
    { "spec.imagePullSecrets": [{}] },
    ['spec.imagePullSecrets[0].name: invalid empty name ""'],
  ],
  [
    "a nameserver that is oddly written",
    { "spec.dnsConfig.nameservers": ["fd00:0::1"] },
    ['spec.dnsConfig.nameservers[0]: IPv6 address "fd00:0::1" should be in RFC 5952 canonical format ("fd00::1")'],
  ],
])("warns of %s", (_, change, expected) => {
  const one = pod.withDefaults(changed(BASE, change) as unknown as Pod);
  expect(pod.warnings(one)).toEqual(expected);
  expect(pod.warnings(changed(one, { "metadata.resourceVersion": "1" }))).toEqual([]);
});
