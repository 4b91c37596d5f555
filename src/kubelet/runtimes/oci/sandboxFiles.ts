import type { SandboxConfig } from "../../runtime.ts";

/** For pods whose hosts file the kubelet does not make. Source: kubelet kubelet_pods.go, ensureHostsFile. */
export function hostsFile(hostname: string, ips: readonly string[]): string {
  const lines = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...ips.map((ip) => `${ip}\t${hostname}`),
  ];
  return `${lines.join("\n")}\n`;
}

export function resolvConf({ servers, searches, options }: NonNullable<SandboxConfig["dns"]>): string {
  const lines = [
    ...(searches.length === 0 ? [] : [`search ${searches.join(" ")}`]),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
