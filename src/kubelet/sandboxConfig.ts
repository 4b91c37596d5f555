import type { Pod } from "../api/generated/core-v1.ts";
import { podResources } from "./environment/containerResources.ts";
import { type ClusterNames, podDns, podHostname, type ResolvConf } from "./environment/podDns.ts";
import { qosClassOf } from "./podLifecycle/qosClass.ts";
import { POD_NAME_LABEL, POD_NAMESPACE_LABEL, POD_UID_LABEL, podIdentity } from "./podLifecycle/runtimePod.ts";
import type { SandboxConfig } from "./runtime.ts";

export interface SandboxInput {
  readonly pod: Pod;
  readonly attempt: number;
  readonly cluster: ClusterNames;
  readonly nodeResolvConf: ResolvConf;
  readonly nodeName: string;
  readonly podPidsMax: number | undefined;
}

const hostPorts = ({ spec }: Pod): SandboxConfig["hostPorts"] =>
  [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ ports }) =>
    (ports ?? [])
      .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
      .map(({ hostPort, containerPort, protocol, hostIP }) => ({
        hostPort: hostPort as number,
        containerPort,
        protocol: protocol ?? "TCP",
        hostIp: hostIP ?? "",
      })),
  );

/** Source: kuberuntime_sandbox.go generatePodSandboxConfig. */
export function sandboxConfig({
  pod,
  attempt,
  cluster,
  nodeResolvConf,
  nodeName,
  podPidsMax,
}: SandboxInput): SandboxConfig {
  const { spec, metadata } = pod;
  const hostNetwork = spec.hostNetwork === true;
  const identity = podIdentity(pod);
  const dns = podDns(pod, cluster, nodeResolvConf);
  const usesNodeDns =
    hostNetwork &&
    nodeResolvConf.isReplaced !== true &&
    (spec.dnsPolicy ?? "ClusterFirst") !== "ClusterFirstWithHostNet" &&
    spec.dnsConfig === undefined;
  return {
    pod: identity,
    attempt,
    hostname: hostNetwork ? nodeName : podHostname(pod, cluster.domain).kernelHostname,
    ...(!usesNodeDns && { dns }),
    hostNetwork,
    hostPid: spec.hostPID === true,
    hostIpc: spec.hostIPC === true,
    shareProcessNamespace: spec.shareProcessNamespace === true,
    sysctls: Object.fromEntries((spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
    resources: podResources(pod, podPidsMax),
    qosClass: qosClassOf(pod),
    labels: {
      ...metadata.labels,
      [POD_NAME_LABEL]: identity.name,
      [POD_NAMESPACE_LABEL]: identity.namespace,
      [POD_UID_LABEL]: identity.uid,
    },
    annotations: metadata.annotations ?? {},
    hostPorts: hostNetwork ? [] : hostPorts(pod),
  };
}
