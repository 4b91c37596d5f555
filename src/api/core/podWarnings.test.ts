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
])("warns of %s", (_, change, expected) => {
  const one = pod.withDefaults(changed(BASE, change) as unknown as Pod);
  expect(pod.warnings(one)).toEqual(expected);
  expect(pod.warnings(changed(one, { "metadata.resourceVersion": "1" }))).toEqual([]);
});
