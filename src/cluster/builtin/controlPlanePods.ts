/**
 * The control plane as static pods of its node, with the names and labels that kubeadm gives them. Their images and
 * arguments say what runs in truth: parts of one process, and a store in SQLite in etcd's place. Source:
 * cmd/kubeadm/app/util/staticpod/utils.go ComponentPod, phases/controlplane/manifests.go.
 *
 * Deliberately absent: resource requests and probes; the process is one, and the kubelet could not tell its parts apart.
 */
import type { Pod } from "../../api/generated/core-v1.ts";
import { COMPONENT_IMAGES, type ComponentName } from "./builtinImages.ts";

export interface ControlPlanePodSettings {
  /** Where the API is offered in the cluster. */
  readonly advertiseAddress: string;
  readonly port: number;
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly cluster: string;
  /** The store's file. */
  readonly store: string;
}

/** Source: pkg/apis/scheduling SystemCriticalPriority + 1000, scheduling.SystemNodeCritical. */
const SYSTEM_NODE_CRITICAL = 2_000_001_000;

export function controlPlanePods(settings: ControlPlanePodSettings): readonly Pod[] {
  const { advertiseAddress, port, serviceCidr, podCidr, cluster, store } = settings;
  return [
    componentPod("etcd", ["skiff-store", "--engine=sqlite", `--file=${store}`]),
    componentPod(
      "kube-apiserver",
      [
        "kube-apiserver",
        `--advertise-address=${advertiseAddress}`,
        "--authorization-mode=Node,RBAC",
        `--secure-port=${port}`,
        `--service-cluster-ip-range=${serviceCidr}`,
      ],
      { "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": `${advertiseAddress}:${port}` },
    ),
    componentPod("kube-controller-manager", [
      "kube-controller-manager",
      "--allocate-node-cidrs=true",
      `--cluster-cidr=${podCidr}`,
      `--cluster-name=${cluster}`,
      `--service-cluster-ip-range=${serviceCidr}`,
    ]),
    componentPod("kube-scheduler", ["kube-scheduler"]),
  ];
}

const componentPod = (
  name: ComponentName,
  command: readonly string[],
  annotations?: Readonly<Record<string, string>>,
): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    namespace: "kube-system",
    labels: { component: name, tier: "control-plane" },
    ...(annotations !== undefined && { annotations }),
    // What a static pod has not got before its node takes it on.
    uid: "",
    resourceVersion: "",
    creationTimestamp: "",
  },
  spec: {
    containers: [
      {
        name,
        image: COMPONENT_IMAGES[name],
        command,
        imagePullPolicy: "IfNotPresent",
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
      },
    ],
    hostNetwork: true,
    dnsPolicy: "ClusterFirst",
    enableServiceLinks: true,
    priority: SYSTEM_NODE_CRITICAL,
    priorityClassName: "system-node-critical",
    restartPolicy: "Always",
    schedulerName: "default-scheduler",
    securityContext: { seccompProfile: { type: "RuntimeDefault" } },
    terminationGracePeriodSeconds: 30,
  },
  status: {},
});
