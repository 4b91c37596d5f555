import type { Pod } from "../api/generated/core-v1.ts";
import { type KubeletContext, podFolders } from "./context.ts";
import { hostNetworkHostsFile, hostsFile, podHostname } from "./environment/podDns.ts";
import type { ContainerMount } from "./runtime.ts";

const HOSTS_PATH = "/etc/hosts";

/** The pod's /etc/hosts, unless the container mounts its own. Source: kubelet_pods.go makeHostsMount. */
export async function etcHostsMount(
  context: KubeletContext,
  pod: Pod,
  podIps: readonly string[],
  mounts: readonly ContainerMount[],
): Promise<readonly ContainerMount[]> {
  if (mounts.some(({ containerPath }) => containerPath === HOSTS_PATH)) return [];
  const folder = podFolders(context, pod.metadata.uid).memory;
  const hostPath = `${folder}/etc-hosts`;
  await context.files.makeDirectory(folder, { mode: 0o711 });
  const content =
    pod.spec.hostNetwork === true
      ? hostNetworkHostsFile(pod, context.nodeHosts)
      : hostsFile(pod, podIps, podHostname(pod, context.cluster.domain));
  await context.files.write(hostPath, content, { mode: 0o644 });
  return [{ hostPath, containerPath: HOSTS_PATH, readOnly: false }];
}
