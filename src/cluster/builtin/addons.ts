/**
 * What a cluster made by kubeadm has beside its control plane: DNS and the service proxy, with kubeadm's names, labels and
 * ports. Source: cmd/kubeadm/app/phases/addons/{dns,proxy}/manifests.go.
 *
 * Deliberately absent: ConfigMaps, as nothing would read them, and resource requests and limits, as what these containers
 * use is part of the node's own process and no limit could be enforced on it.
 */
import type { DaemonSet, Deployment } from "../../api/generated/apps-v1.ts";
import type { Service } from "../../api/generated/core-v1.ts";
import { clusterRole, clusterRoleBinding, daemonSet, deployment, service, serviceAccount } from "../../api/index.ts";
import type { KindDefinition } from "../../machinery/defineKind.ts";
import type { Draft, KubeObject } from "../../machinery/object.ts";
import { DNS_IMAGE, PROXY_IMAGE } from "./builtinImages.ts";
import { DNS_PORT, HEALTH_PORT, METRICS_PORT, READY_PORT } from "./dnsProgram.ts";

const NAMESPACE = "kube-system";
export const DNS_REPLICAS = 2;
export const DNS_DEPLOYMENT = "coredns";

const dnsLabels = { "k8s-app": "kube-dns" };
const proxyLabels = { "k8s-app": "kube-proxy" };

export interface Addon<T extends KubeObject = KubeObject> {
  readonly kind: KindDefinition<T>;
  readonly object: Draft<T>;
}

const addon = <T extends KubeObject>(kind: KindDefinition<T>, object: Draft<T>): Addon =>
  ({ kind, object }) as unknown as Addon;

export interface AddonSettings {
  readonly clusterDns: string;
  /** Of the DNS; a number that somebody has chosen stays. */
  readonly dnsReplicas: number;
}

/** In the order in which they need each other. */
export const addons = ({ clusterDns, dnsReplicas }: AddonSettings): readonly Addon[] => [
  addon(serviceAccount, { metadata: { name: "coredns", namespace: NAMESPACE } }),
  addon(serviceAccount, { metadata: { name: "kube-proxy", namespace: NAMESPACE } }),
  addon(clusterRole, { metadata: { name: "system:coredns" }, rules: dnsRules }),
  addon(clusterRoleBinding, { metadata: { name: "system:coredns" }, ...bound("system:coredns", "coredns") }),
  addon(service, dnsService(clusterDns)),
  // First, because the DNS's address leads nowhere without it.
  addon(daemonSet, proxyDaemonSet),
  addon(deployment, dnsDeployment(dnsReplicas)),
];

const dnsRules = [
  { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs: ["list", "watch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
];

const bound = (role: string, account: string) => ({
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
  subjects: [{ kind: "ServiceAccount", name: account, namespace: NAMESPACE }],
});

const dnsService = (clusterDns: string): Draft<Service> => ({
  metadata: {
    name: "kube-dns",
    namespace: NAMESPACE,
    labels: { ...dnsLabels, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
    annotations: { "prometheus.io/port": `${METRICS_PORT}`, "prometheus.io/scrape": "true" },
  },
  spec: {
    clusterIP: clusterDns,
    ports: [
      { name: "dns", port: DNS_PORT, protocol: "UDP", targetPort: DNS_PORT },
      { name: "dns-tcp", port: DNS_PORT, protocol: "TCP", targetPort: DNS_PORT },
      { name: "metrics", port: METRICS_PORT, protocol: "TCP", targetPort: METRICS_PORT },
    ],
    selector: dnsLabels,
  },
});

const dnsDeployment = (replicas: number): Draft<Deployment> => ({
  metadata: { name: DNS_DEPLOYMENT, namespace: NAMESPACE, labels: dnsLabels },
  spec: {
    replicas,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
    selector: { matchLabels: dnsLabels },
    template: {
      metadata: { labels: dnsLabels },
      spec: {
        priorityClassName: "system-cluster-critical",
        serviceAccountName: "coredns",
        // The node reads Services for it; it has no use for a token.
        automountServiceAccountToken: false,
        affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [onAnotherNode] } },
        tolerations: [
          { key: "CriticalAddonsOnly", operator: "Exists" },
          { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
        ],
        nodeSelector: { "kubernetes.io/os": "linux" },
        dnsPolicy: "Default",
        containers: [dnsContainer],
      },
    },
  },
});

const onAnotherNode = {
  weight: 100,
  podAffinityTerm: {
    labelSelector: { matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns"] }] },
    topologyKey: "kubernetes.io/hostname",
  },
};

const dnsContainer = {
  name: "coredns",
  image: DNS_IMAGE,
  imagePullPolicy: "IfNotPresent",
  ports: [
    { containerPort: DNS_PORT, name: "dns", protocol: "UDP" },
    { containerPort: DNS_PORT, name: "dns-tcp", protocol: "TCP" },
    { containerPort: METRICS_PORT, name: "metrics", protocol: "TCP" },
    { containerPort: HEALTH_PORT, name: "liveness-probe", protocol: "TCP" },
    { containerPort: READY_PORT, name: "readiness-probe", protocol: "TCP" },
  ],
  livenessProbe: {
    httpGet: { path: "/health", port: "liveness-probe", scheme: "HTTP" },
    initialDelaySeconds: 60,
    timeoutSeconds: 5,
    successThreshold: 1,
    failureThreshold: 5,
  },
  readinessProbe: { httpGet: { path: "/ready", port: "readiness-probe", scheme: "HTTP" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
    readOnlyRootFilesystem: true,
  },
};

const proxyDaemonSet: Draft<DaemonSet> = {
  metadata: { name: "kube-proxy", namespace: NAMESPACE, labels: proxyLabels },
  spec: {
    selector: { matchLabels: proxyLabels },
    updateStrategy: { type: "RollingUpdate" },
    template: {
      metadata: { labels: proxyLabels },
      spec: {
        priorityClassName: "system-node-critical",
        serviceAccountName: "kube-proxy",
        automountServiceAccountToken: false,
        hostNetwork: true,
        tolerations: [{ key: "CriticalAddonsOnly", operator: "Exists" }, { operator: "Exists" }],
        nodeSelector: { "kubernetes.io/os": "linux" },
        containers: [{ name: "kube-proxy", image: PROXY_IMAGE, imagePullPolicy: "IfNotPresent" }],
      },
    },
  },
};
