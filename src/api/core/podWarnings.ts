/**
 * Remarks on pods and templates that are valid and yet likely wrong; sent when they are made. Source: pkg/api/pod
 * warnings.go (v1.36).
 */
import { FieldPath, root } from "../../machinery/fieldErrors.ts";
import { dns1123Label } from "../../machinery/names.ts";
import { quantityMilliValue } from "../../machinery/quantity.ts";
import type { ContainerPort, EnvVar, Pod, PodAffinity, PodSpec, PodTemplateSpec } from "../generated/core-v1.ts";
import { visitContainers } from "./podSpec/validatePodSpec.ts";
import type { VisitedContainer } from "./podSpec/windows.ts";

/** Source: pkg/api/node/util.go. */
const OLD_NODE_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};
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
const MATCHES_NOTHING = "a null labelSelector results in matching no pod";
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

function placementWarnings(spec: PodSpec, path: FieldPath): string[] {
  const old = Object.keys(spec.nodeSelector ?? {}).flatMap((key) => {
    const text = OLD_NODE_LABELS[key];
    return text === undefined ? [] : [`${path.at("nodeSelector").key(key)}: ${text}`];
  });
  const spread = (spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
    const at = path.at("topologySpreadConstraints").index(index);
    const text = OLD_NODE_LABELS[topologyKey];
    return [
      ...(text === undefined ? [] : [`${at.at("topologyKey")}: ${topologyKey} is ${text}`]),
      ...(labelSelector === undefined ? [`${at.at("labelSelector")}: ${MATCHES_NOTHING}`] : []),
    ];
  });
  return [...old, ...spread];
}

function affinityWarnings(affinity: PodAffinity | undefined, path: FieldPath): string[] {
  const [hard, soft] = [
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
  ] as const;
  const terms = [
    ...(affinity?.[hard] ?? []).map((term, index) => ({ term, at: path.at(hard).index(index) })),
    ...(affinity?.[soft] ?? []).map(({ podAffinityTerm }, index) => ({
      term: podAffinityTerm,
      at: path.at(soft).index(index).at("podAffinityTerm"),
    })),
  ];
  return terms
    .filter(({ term }) => term.labelSelector === undefined)
    .map(({ at }) => `${at.at("labelSelector")}: ${MATCHES_NOTHING}`);
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

function fractionWarnings(list: Readonly<Record<string, string>> | undefined, path: FieldPath): string[] {
  return WHOLE.flatMap((name) => {
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

function portWarnings(containers: readonly VisitedContainer[]): string[] {
  const ports = containers.flatMap(({ container, path }) =>
    (container.ports ?? []).map((port, index) => ({ port, at: path.at("ports").index(index) })),
  );
  const conflicts = ports.flatMap(({ port, at }, index) =>
    ports.slice(0, index).flatMap((other) => {
      const same = other.port.containerPort === port.containerPort && other.port.protocol === port.protocol;
      const what = same ? portConflict(port, other.port) : undefined;
      return what === undefined ? [] : [`${at}: ${what} port definition with ${other.at}`];
    }),
  );
  const names = ports.flatMap(({ port, at }, index) => {
    const first = port.name ? ports.slice(0, index).find((other) => other.port.name === port.name) : undefined;
    if (first === undefined) return [];
    const used = `services and probes that select ports by name will use ${first.at}`;
    return [`${at}: duplicate port name ${JSON.stringify(port.name)} with ${first.at}, ${used}`];
  });
  return [...conflicts, ...names];
}

function specWarnings(spec: PodSpec, path: FieldPath): string[] {
  const containers = visitContainers(spec, path);
  const old = (spec.volumes ?? []).flatMap((volume, index) =>
    Object.keys(volume).flatMap((source) =>
      OLD_VOLUMES[source] === undefined
        ? []
        : [`${path.at("volumes").index(index).at(source)}: ${OLD_VOLUMES[source]}`],
    ),
  );
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  return [
    ...placementWarnings(spec, path),
    ...old,
    ...repeated(
      spec.hostAliases,
      ({ ip }) => ip,
      (index, ip) => `${path.at("hostAliases").index(index).at("ip")}: duplicate ip ${JSON.stringify(ip)}`,
    ),
    ...repeated(
      spec.imagePullSecrets,
      ({ name = "" }) => name,
      (index, name) => `${path.at("imagePullSecrets").index(index).at("name")}: duplicate name ${JSON.stringify(name)}`,
    ),
    ...fractionWarnings(spec.overhead, path.at("overhead")),
    ...containers.flatMap(({ container, path: at }) => [
      ...fractionWarnings(container.resources?.limits, at.at("resources", "limits")),
      ...fractionWarnings(container.resources?.requests, at.at("resources", "requests")),
      ...envWarnings(container.env, at.at("env")),
    ]),
    ...portWarnings(containers),
    ...(grace < 0
      ? [
          `${path.at("terminationGracePeriodSeconds")}: must be >= 0; negative values are invalid and will be treated as 1`,
        ]
      : []),
    ...affinityWarnings(spec.affinity?.podAffinity, path.at("affinity", "podAffinity")),
    ...affinityWarnings(spec.affinity?.podAntiAffinity, path.at("affinity", "podAntiAffinity")),
  ];
}

/** An object that exists has been remarked upon. */
export function podWarnings({ metadata: { name, resourceVersion }, spec }: Pod): string[] {
  if (resourceVersion || spec === undefined) return [];
  const reasons = dns1123Label(name);
  const surprise = "this is used in the Pod's hostname, which can result in surprising behavior";
  const named = `metadata.name: ${surprise}; a DNS label is recommended: [${reasons.join(" ")}]`;
  return [...(reasons.length === 0 ? [] : [named]), ...specWarnings(spec, root.at("spec"))];
}

/** Of a workload's template, which stands at `spec.template`. */
export const podTemplateWarnings = (template: PodTemplateSpec | undefined): string[] =>
  template?.spec === undefined ? [] : specWarnings(template.spec, new FieldPath("spec").at("template", "spec"));
