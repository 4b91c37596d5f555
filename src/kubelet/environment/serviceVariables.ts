import type { Service } from "../../api/generated/core-v1.ts";

export interface EnvVariable {
  readonly name: string;
  readonly value: string;
}

/** The one service that every pod is told of, links or not. Source: kubelet_pods.go masterServices. */
const MASTER_SERVICE = { namespace: "default", name: "kubernetes" };

const variableName = (name: string): string => name.toUpperCase().replaceAll("-", "_");

const hasClusterIp = ({ spec }: Service): boolean =>
  spec.clusterIP !== undefined && spec.clusterIP !== "" && spec.clusterIP !== "None";

const hostAndPort = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** The variables of Docker's links, which programs of old still read. */
function linkVariables(prefix: string, { spec }: Service): readonly EnvVariable[] {
  const host = spec.clusterIP ?? "";
  return (spec.ports ?? []).flatMap((port, index) => {
    const protocol = port.protocol ?? "TCP";
    const url = `${protocol.toLowerCase()}://${hostAndPort(host, port.port)}`;
    const portPrefix = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
    return [
      ...(index === 0 ? [{ name: `${prefix}_PORT`, value: url }] : []),
      { name: portPrefix, value: url },
      { name: `${portPrefix}_PROTO`, value: protocol.toLowerCase() },
      { name: `${portPrefix}_PORT`, value: `${port.port}` },
      { name: `${portPrefix}_ADDR`, value: host },
    ];
  });
}

function variablesOf(service: Service): readonly EnvVariable[] {
  const prefix = variableName(service.metadata.name);
  const ports = service.spec.ports ?? [];
  const first = ports[0];
  return [
    { name: `${prefix}_SERVICE_HOST`, value: service.spec.clusterIP ?? "" },
    ...(first === undefined ? [] : [{ name: `${prefix}_SERVICE_PORT`, value: `${first.port}` }]),
    ...ports
      .filter(({ name }) => name !== undefined && name !== "")
      .map(({ name, port }) => ({ name: `${prefix}_SERVICE_PORT_${variableName(name ?? "")}`, value: `${port}` })),
    ...linkVariables(prefix, service),
  ];
}

/** Of the services of the pod's namespace and of the API server. Source: pkg/kubelet/envvars FromServices. */
export function serviceVariables(
  services: readonly Service[],
  namespace: string,
  enableServiceLinks: boolean,
): readonly EnvVariable[] {
  const isMaster = ({ metadata }: Service) =>
    metadata.namespace === MASTER_SERVICE.namespace && metadata.name === MASTER_SERVICE.name;
  const isLinked = (service: Service) => enableServiceLinks && service.metadata.namespace === namespace;
  const named = new Map<string, Service>();
  for (const service of services) {
    if (!hasClusterIp(service) || !(isMaster(service) || isLinked(service))) continue;
    // A service of that name in the pod's own namespace goes before the API server's.
    if (isMaster(service) && named.has(service.metadata.name) && !isLinked(service)) continue;
    named.set(service.metadata.name, service);
  }
  return [...named.values()].flatMap(variablesOf);
}
