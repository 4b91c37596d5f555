/**
 * Remarks on pods and templates that are valid and yet likely wrong; sent when they are made. Source: pkg/api/pod
 * warnings.go (v1.36).
 */
import { type FieldPath, root } from "../../machinery/fieldErrors.ts";
import { ipWarnings } from "../../machinery/ipWarnings.ts";
import { dns1123Label } from "../../machinery/names.ts";
import { quantityMilliValue } from "../../machinery/quantity.ts";
import type { ContainerPort, EnvVar, Pod, PodSpec, PodTemplateSpec, Volume } from "../generated/core-v1.ts";
import { visitContainers } from "./podSpec/validatePodSpec.ts";
import type { VisitedContainer } from "./podSpec/windows.ts";
import {
  containerAnnotationWarnings,
  oldAnnotationWarnings,
  podSeccompWarnings,
} from "./podWarnings/oldAnnotations.ts";
import { overlappingPathWarnings } from "./podWarnings/overlappingPaths.ts";
import { placementWarnings, podAffinityWarnings } from "./podWarnings/placement.ts";

const OLD_VOLUMES: Readonly<Record<string, string>> = {
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  gitRepo: "deprecated in v1.11, and disabled by default in v1.33+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  flocker: "deprecated in v1.22, non-functional in v1.25+",
  storageOS: "deprecated in v1.22, non-functional in v1.25+",
  quobyte: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
};
/** Bytes cannot be divided. */
const WHOLE = ["memory", "ephemeral-storage"];

/** The second of two equal elements, each with its text. */
function repeated<T>(
  list: readonly T[] | undefined,
  key: (element: T) => string,
  say: (index: number, key: string) => string,
) {
  const seen = new Set<string>();
  return (list ?? []).flatMap((element, index) => {
    const text = key(element);
    if (seen.has(text)) return [say(index, text)];
    seen.add(text);
    return [];
  });
}

/** A variable may build on the one that it hides: `PATH=$(PATH):/x`. */
function envWarnings(variables: readonly EnvVar[] | undefined, path: FieldPath): string[] {
  const seen = new Set<string>();
  return (variables ?? []).flatMap(({ name, value = "", valueFrom }, index) => {
    const reference = `$(${name})`;
    const hides = seen.has(name) && (valueFrom !== undefined || value === reference || !value.includes(reference));
    seen.add(name);
    const reason = `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`;
    return hides ? [`${path.index(index)}: ${reason}`] : [];
  });
}

type Amounts = Readonly<Record<string, string>> | undefined;

function fractionWarnings(list: Amounts, path: FieldPath, names: readonly string[] = WHOLE): string[] {
  return names.flatMap((name) => {
    const amount = list?.[name];
    if (amount === undefined || quantityMilliValue(amount) % 1000 === 0) return [];
    return [`${path.key(name)}: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`];
  });
}

function portConflict(port: ContainerPort, other: ContainerPort): string | undefined {
  const [host, otherHost] = [port.hostPort ?? 0, other.hostPort ?? 0];
  if ((port.hostIP ?? "") === (other.hostIP ?? "") && host === otherHost) return "duplicate";
  if (host === 0 || otherHost === 0) return "overlapping";
  return host === otherHost && !port.hostIP !== !other.hostIP ? "dangerously ambiguous" : undefined;
}

/** As Go's `%+v` prints it. */
const goPort = ({ name = "", hostPort = 0, containerPort, protocol = "", hostIP = "" }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;

function portWarnings(containers: readonly VisitedContainer[]): string[] {
  const ports = containers.flatMap(({ container, path }) =>
    (container.ports ?? []).map((port, index) => ({ port, at: path.at("ports").index(index) })),
  );
  const conflicts = ports.flatMap(({ port, at }, index) => [
    ...(port.hostIP && !port.hostPort ? [`${at}: hostIP set without hostPort: ${goPort(port)}`] : []),
    ...ports.slice(0, index).flatMap((other) => {
      const same = other.port.containerPort === port.containerPort && other.port.protocol === port.protocol;
      const what = same ? portConflict(port, other.port) : undefined;
      return what === undefined ? [] : [`${at}: ${what} port definition with ${other.at}`];
    }),
  ]);
  const names = ports.flatMap(({ port, at }, index) => {
    const first = port.name ? ports.slice(0, index).find((other) => other.port.name === port.name) : undefined;
    if (first === undefined) return [];
    const used = `services and probes that select ports by name will use ${first.at}`;
    return [`${at}: duplicate port name ${JSON.stringify(port.name)} with ${first.at}, ${used}`];
  });
  return [...conflicts, ...names];
}

const QUIETLY_ONE = "must be >= 0; negative values are invalid and will be treated as 1";

/** A claim's sizes are whole bytes. Source: GetWarningsForPersistentVolumeClaimSpec. */
function claimWarnings({ ephemeral }: Volume, path: FieldPath): string[] {
  const at = path.at("ephemeral", "volumeClaimTemplate", "spec", "resources");
  const { requests, limits } = ephemeral?.volumeClaimTemplate?.spec.resources ?? {};
  return [
    ...fractionWarnings(requests, at.at("requests"), ["storage"]),
    ...fractionWarnings(limits, at.at("limits"), ["storage"]),
  ];
}

function volumeWarnings(volumes: readonly Volume[] | undefined, path: FieldPath): string[] {
  return (volumes ?? []).flatMap((volume, index) => {
    const at = path.index(index);
    const old = Object.keys(volume).filter((source) => OLD_VOLUMES[source] !== undefined);
    return [...old.map((source) => `${at.at(source)}: ${OLD_VOLUMES[source]}`), ...claimWarnings(volume, at)];
  });
}

function listWarnings({ hostAliases, imagePullSecrets }: PodSpec, path: FieldPath): string[] {
  const secrets = path.at("imagePullSecrets");
  return [
    ...repeated(
      hostAliases,
      ({ ip }) => ip,
      (index, ip) => `${path.at("hostAliases").index(index).at("ip")}: duplicate ip ${JSON.stringify(ip)}`,
    ),
    ...repeated(
      imagePullSecrets,
      ({ name = "" }) => name,
      (index, name) => `${secrets.index(index).at("name")}: duplicate name ${JSON.stringify(name)}`,
    ),
    ...(imagePullSecrets ?? []).flatMap(({ name }, index) =>
      name ? [] : [`${secrets.index(index).at("name")}: invalid empty name ""`],
    ),
  ];
}

function addressWarnings({ dnsConfig, hostAliases }: PodSpec, path: FieldPath): string[] {
  const [servers, aliases] = [path.at("dnsConfig", "nameservers"), path.at("hostAliases")];
  return [
    ...(dnsConfig?.nameservers ?? []).flatMap((server, index) => ipWarnings(servers.index(index), server)),
    ...(hostAliases ?? []).flatMap(({ ip }, index) => ipWarnings(aliases.index(index).at("ip"), ip)),
  ];
}

interface Remarked {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: PodSpec;
}

/** @param at of the template; undefined for a pod itself. */
function allWarnings({ metadata, spec }: Remarked, at?: FieldPath): string[] {
  if (spec === undefined) return [];
  const annotations = metadata?.annotations ?? {};
  const [path, notes] = [(at ?? root).at("spec"), (at ?? root).at("metadata", "annotations")];
  const containers = visitContainers(spec, path);
  const context = { spec, path: notes, isTemplate: at !== undefined };
  return [
    ...placementWarnings(spec, path),
    ...oldAnnotationWarnings(annotations, notes),
    ...volumeWarnings(spec.volumes, path.at("volumes")),
    ...overlappingPathWarnings(spec),
    ...listWarnings(spec, path),
    ...fractionWarnings(spec.overhead, path.at("overhead")),
    ...podSeccompWarnings(annotations, spec, notes),
    ...containers.flatMap((visited) => [
      ...containerAnnotationWarnings(annotations, visited, context),
      ...fractionWarnings(visited.container.resources?.limits, visited.path.at("resources", "limits")),
      ...fractionWarnings(visited.container.resources?.requests, visited.path.at("resources", "requests")),
      ...envWarnings(visited.container.env, visited.path.at("env")),
    ]),
    ...portWarnings(containers),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${path.at("terminationGracePeriodSeconds")}: ${QUIETLY_ONE}`]
      : []),
    ...podAffinityWarnings(spec.affinity?.podAffinity, path.at("affinity", "podAffinity")),
    ...podAffinityWarnings(spec.affinity?.podAntiAffinity, path.at("affinity", "podAntiAffinity")),
    ...addressWarnings(spec, path),
  ];
}

/** Updates of pods are mostly a kubelet's: nothing is said of them. Source: pod strategy.go, WarningsOnUpdate. */
export function podWarnings(pod: Pod): string[] {
  const { name, resourceVersion } = pod.metadata;
  if (resourceVersion) return [];
  const reasons = dns1123Label(name);
  const surprise = "this is used in the Pod's hostname, which can result in surprising behavior";
  const named = `metadata.name: ${surprise}; a DNS label is recommended: [${reasons.join(" ")}]`;
  return [...(reasons.length === 0 ? [] : [named]), ...allWarnings(pod)];
}

/** Of a workload's template, which stands at `spec.template`. */
export const podTemplateWarnings = (template: PodTemplateSpec | undefined): string[] =>
  template === undefined ? [] : allWarnings(template, root.at("spec", "template"));
