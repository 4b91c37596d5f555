import { describe, expect, test } from "vitest";
import type { Pod } from "../generated/core-v1.ts";
import { changed, testInvalidObjects, testUpdates, updateErrors } from "../invalidCases.ts";
import { pod } from "./pod.ts";

const BASE = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", labels: { app: "web" } },
  spec: {
    containers: [{ name: "main", image: "example/web:1", ports: [{ containerPort: 80 }] }],
    volumes: [{ name: "data", emptyDir: {} }],
  },
};
const C0 = "spec.containers[0]";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const RANGE = "must be between 1 and 65535, inclusive";

describe("pods", () => {
  testInvalidObjects(pod, BASE, [
    ["no name", { "metadata.name": "" }, "metadata.name: Required value: name or generateName is required"],
    ["a name in capitals", { "metadata.name": "Web" }, `metadata.name: Invalid value: "Web": ${SUBDOMAIN}`],
    [
      "a label key with a blank",
      { "metadata.labels[a b]": "x" },
      `metadata.labels: Invalid value: "a b": ${QUALIFIED}`,
    ],
    ["no containers", { "spec.containers": [] }, "spec.containers: Required value"],
    ["a container without a name", { [`${C0}.name`]: "" }, "spec.containers[0].name: Required value"],
    ["a container name in capitals", { [`${C0}.name`]: "A" }, `spec.containers[0].name: Invalid value: "A": ${LABEL}`],
    ["a container without an image", { [`${C0}.image`]: "" }, "spec.containers[0].image: Required value"],
    [
      "an image with blanks around it",
      { [`${C0}.image`]: " a:1" },
      'spec.containers[0].image: Invalid value: " a:1": must not have leading or trailing whitespace',
    ],
    [
      "two containers of one name",
      { "spec.containers[1]": { name: "main", image: "a" } },
      'spec.containers[1].name: Duplicate value: "main"',
    ],
    [
      "an init container named as a container",
      { "spec.initContainers": [{ name: "main", image: "a" }] },
      'spec.initContainers[0].name: Duplicate value: "main"',
    ],
    [
      "an unknown restart policy",
      { "spec.restartPolicy": "Sometimes" },
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
    [
      "an unknown pull policy",
      { [`${C0}.imagePullPolicy`]: "Maybe" },
      'spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"',
    ],
    [
      "an unknown DNS policy",
      { "spec.dnsPolicy": "X" },
      'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
    ],
    [
      "dnsPolicy None without servers",
      { "spec.dnsPolicy": "None" },
      "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
    ],
    [
      "a nameserver with leading zeros",
      { "spec.dnsConfig": { nameservers: ["010.0.0.1"] } },
      'spec.dnsConfig.nameservers[0]: Invalid value: "010.0.0.1": must not have leading 0s',
    ],
    [
      "a port of 0",
      { [`${C0}.ports[0].containerPort`]: 0 },
      "spec.containers[0].ports[0].containerPort: Required value",
    ],
    [
      "a port that is too large",
      { [`${C0}.ports[0].containerPort`]: 70000 },
      `spec.containers[0].ports[0].containerPort: Invalid value: 70000: ${RANGE}`,
    ],
    [
      "an unknown protocol",
      { [`${C0}.ports[0].protocol`]: "ICMP" },
      'spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      "a host port taken twice",
      {
        [`${C0}.ports`]: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 81, hostPort: 8080 },
        ],
      },
      'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"',
    ],
    [
      "a port name that is too long",
      { [`${C0}.ports[0].name`]: "abcdefghijklmnopqr" },
      'spec.containers[0].ports[0].name: Invalid value: "abcdefghijklmnopqr": must be no more than 15 characters',
    ],
    [
      "a variable without a name",
      { [`${C0}.env`]: [{ value: "x" }] },
      "spec.containers[0].env[0].name: Required value",
    ],
    [
      "a variable name with =",
      { [`${C0}.env`]: [{ name: "a=b" }] },
      "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='",
    ],
    [
      "a variable with a value and a source",
      { [`${C0}.env`]: [{ name: "A", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ],
    [
      "a variable from an unknown field",
      { [`${C0}.env`]: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.priority" } } }] },
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.priority": error converting fieldPath: field label not supported: spec.priority',
    ],
    [
      "a variable from all labels",
      { [`${C0}.env`]: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels" } } }] },
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
    ],
    [
      "envFrom of nothing",
      { [`${C0}.envFrom`]: [{}] },
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
    ],
    [
      "a mount of no volume",
      { [`${C0}.volumeMounts`]: [{ name: "other", mountPath: "/x" }] },
      'spec.containers[0].volumeMounts[0].name: Not found: "other"',
    ],
    [
      "two mounts at one path",
      {
        [`${C0}.volumeMounts`]: [
          { name: "data", mountPath: "/x" },
          { name: "data", mountPath: "/x" },
        ],
      },
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/x": must be unique',
    ],
    [
      "a sub-path that climbs out",
      { [`${C0}.volumeMounts`]: [{ name: "data", mountPath: "/x", subPath: "../a" }] },
      "spec.containers[0].volumeMounts.subPath: Invalid value: \"../a\": must not contain '..'",
    ],
    [
      "bidirectional mounts without privileges",
      { [`${C0}.volumeMounts`]: [{ name: "data", mountPath: "/x", mountPropagation: "Bidirectional" }] },
      "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers",
    ],
    [
      "a volume with two sources",
      { "spec.volumes[0].hostPath": { path: "/" } },
      "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
    ],
    [
      "two volumes of one name",
      { "spec.volumes[1]": { name: "data", emptyDir: {} } },
      'spec.volumes[1].name: Duplicate value: "data"',
    ],
    [
      "a ConfigMap volume without a name",
      { "spec.volumes[0]": { name: "data", configMap: {} } },
      "spec.volumes[0].configMap.name: Required value",
    ],
    [
      "a file mode out of range",
      { "spec.volumes[0]": { name: "data", secret: { secretName: "s", defaultMode: 4096 } } },
      "spec.volumes[0].secret.defaultMode: Invalid value: 4096: must be a number between 0 and 0777 (octal), both inclusive",
    ],
    [
      "an unknown host path type",
      { "spec.volumes[0]": { name: "data", hostPath: { path: "/", type: "Pipe" } } },
      'spec.volumes[0].hostPath.type: Unsupported value: "Pipe": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
    ],
    [
      "a token for five minutes",
      {
        "spec.serviceAccountName": "a",
        "spec.volumes[0]": {
          name: "data",
          projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 300 } }] },
        },
      },
      "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 300: may not specify a duration less than 10 minutes",
    ],
    [
      "a token of nobody",
      {
        "spec.volumes[0]": { name: "data", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } },
      },
      "spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set",
    ],
    [
      "a probe without a handler",
      { [`${C0}.livenessProbe`]: { periodSeconds: 1 } },
      "spec.containers[0].livenessProbe: Required value: must specify a handler type",
    ],
    [
      "a liveness probe that must succeed twice",
      { [`${C0}.livenessProbe`]: { exec: { command: ["a"] }, successThreshold: 2 } },
      "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
    ],
    [
      "a probe with two handlers",
      { [`${C0}.readinessProbe`]: { exec: { command: ["a"] }, tcpSocket: { port: 80 } } },
      "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
    ],
    [
      "a hook that sleeps longer than the grace period",
      { [`${C0}.lifecycle`]: { preStop: { sleep: { seconds: 60 } } } },
      "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than terminationGracePeriodSeconds (30)",
    ],
    [
      "an init container with a probe",
      { "spec.initContainers": [{ name: "i", image: "a", livenessProbe: { exec: { command: ["a"] } } }] },
      "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ],
    [
      "a request above its limit",
      { [`${C0}.resources`]: { requests: { cpu: "2" }, limits: { cpu: "1" } } },
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      "a negative request",
      { [`${C0}.resources`]: { requests: { memory: "-1Mi" } } },
      'spec.containers[0].resources.requests[memory]: Invalid value: "-1Mi": must be greater than or equal to 0',
    ],
    [
      "an unknown resource",
      { [`${C0}.resources`]: { limits: { disk: "1" } } },
      'spec.containers[0].resources.limits[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.limits[disk]: Invalid value: "disk": must be a standard resource for containers',
      'spec.containers[0].resources.requests[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.requests[disk]: Invalid value: "disk": must be a standard resource for containers',
    ],
    [
      "half a device",
      { [`${C0}.resources`]: { limits: { "example.com/gpu": "500m" } } },
      'spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer',
      'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer',
    ],
    [
      "a device requested but not limited",
      { [`${C0}.resources`]: { requests: { "example.com/gpu": "1" } } },
      "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
    ],
    [
      "a negative user",
      { "spec.securityContext": { runAsUser: -1 } },
      "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    ],
    [
      "privileged without escalation",
      { [`${C0}.securityContext`]: { privileged: true, allowPrivilegeEscalation: false } },
      'spec.containers[0].securityContext: Invalid value: {"Capabilities":null,"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
    ],
    [
      "an unknown seccomp type",
      { "spec.securityContext": { seccompProfile: { type: "Own" } } },
      'spec.securityContext.seccompProfile.type: Unsupported value: "Own": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
    ],
    [
      "a sysctl of the host's network",
      { "spec.hostNetwork": true, "spec.securityContext": { sysctls: [{ name: "net.ipv4.ip_forward", value: "1" }] } },
      "spec.securityContext.sysctls[0].name: Invalid value: \"net.ipv4.ip_forward\": may not be specified when 'hostNetwork' is true",
    ],
    [
      "a host port of its own on the host's network",
      { "spec.hostNetwork": true, [`${C0}.ports[0].hostPort`]: 81 },
      "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true",
    ],
    [
      "a node selector value with a blank",
      { "spec.nodeSelector": { a: "b c" } },
      "spec.nodeSelector: Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
    [
      "node affinity without terms",
      { "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution": { nodeSelectorTerms: [] } },
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
    ],
    [
      "a weight of 101",
      {
        "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution": [{ weight: 101, preference: {} }],
      },
      "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100",
    ],
    [
      "pod affinity without a topology key",
      { "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution": [{ topologyKey: "" }] },
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty",
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
      `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": ${QUALIFIED}`,
    ],
    [
      "a toleration of everything that is not Exists",
      { "spec.tolerations": [{ operator: "Equal" }] },
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
    [
      "toleration seconds for NoSchedule",
      { "spec.tolerations": [{ key: "a", operator: "Exists", effect: "NoSchedule", tolerationSeconds: 1 }] },
      "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set",
    ],
    [
      "a skew of 0",
      { "spec.topologySpreadConstraints": [{ maxSkew: 0, topologyKey: "z", whenUnsatisfiable: "ScheduleAnyway" }] },
      "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
    ],
    [
      "a deadline of 0",
      { "spec.activeDeadlineSeconds": 0 },
      "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
    ],
    [
      "ephemeral containers on create",
      { "spec.ephemeralContainers": [{ name: "debug", image: "a" }] },
      "spec.ephemeralContainers: Forbidden: cannot be set on create",
    ],
    [
      "a node and scheduling gates",
      { "spec.nodeName": "n", "spec.schedulingGates": [{ name: "a" }] },
      "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
    ],
    [
      "a mirror pod without a node",
      { "metadata.annotations[kubernetes.io/config.mirror]": "x" },
      'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
    ],
    [
      "a host alias that is no address",
      { "spec.hostAliases": [{ ip: "a", hostnames: ["b"] }] },
      'spec.hostAliases[0].ip: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      "an unknown system",
      { "spec.os": { name: "plan9" } },
      'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"',
    ],
  ]);

  testUpdates(pod, BASE, [
    ["the image may change", { [`${C0}.image`]: "example/web:2" }],
    ["a toleration may be added", { "spec.tolerations": [{ key: "a", operator: "Exists" }] }],
    ["a deadline may be set", { "spec.activeDeadlineSeconds": 5 }],
    [
      "containers may not be added",
      { "spec.containers[1]": { name: "b", image: "b" } },
      "spec.containers: Forbidden: pod updates may not add or remove containers",
    ],
    [
      "a scheduling gate may not be added",
      { "spec.schedulingGates": [{ name: "a" }] },
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'",
    ],
    [
      "the mirror annotation may not be added",
      { "metadata.annotations[kubernetes.io/config.mirror]": "x", "spec.nodeName": "n" },
      "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation",
      "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n" +
        '@@ -87,7 +87,7 @@\n  "NodeSelector": null,\n  "ServiceAccountName": "",\n  "AutomountServiceAccountToken": null,\n- "NodeName": "",\n+ "NodeName": "n",\n  "SecurityContext": {\n   "HostNetwork": false,\n   "HostPID": false,\n',
    ],
    ["the UID may not change", { "metadata.uid": "other" }, 'metadata.uid: Invalid value: "other": field is immutable'],
  ]);

  testUpdates(
    pod,
    changed(BASE, { "status.qosClass": "BestEffort" }),
    [
      ["the phase may change", { "status.phase": "Running" }],
      [
        "the QoS class may not change",
        { "status.qosClass": "Guaranteed" },
        'status.qosClass: Invalid value: "Guaranteed": field is immutable',
      ],
      [
        "two addresses of one family",
        { "status.podIPs": [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }] },
        'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family',
      ],
      [
        "no address at all",
        { "status.podIPs": [{ ip: "x" }] },
        'status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    "status",
  );

  test("a container that ended under restartPolicy Never stays ended", () => {
    const previous = changed(BASE, {
      "spec.restartPolicy": "Never",
      "status.containerStatuses": [{ name: "main", state: { terminated: { exitCode: 0 } } }],
    }) as unknown as Pod;
    const next = changed(previous, { "status.containerStatuses": [{ name: "main", state: { running: {} } }] });
    expect(updateErrors(pod, next, previous, "status")).toEqual([
      "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state",
    ]);
  });
});
