/** What is served, as discovery tells it in all of its forms. */
import { createHash } from "node:crypto";
import type { AnyKind } from "../../machinery/defineKind.ts";
import type { VirtualResource } from "../virtualResources.ts";

export interface DescribedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface DescribedSubresource {
  readonly name: string;
  readonly responseKind: DescribedKind;
  readonly verbs: readonly string[];
}

export interface DescribedResource {
  readonly plural: string;
  readonly singular: string;
  readonly isNamespaced: boolean;
  readonly responseKind: DescribedKind;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly storageVersionHash: string | undefined;
  readonly subresources: readonly DescribedSubresource[];
}

export interface DescribedVersion {
  readonly version: string;
  readonly resources: readonly DescribedResource[];
}

export interface DescribedGroup {
  /** "" is the core group. */
  readonly name: string;
  /** Best first. */
  readonly versions: readonly DescribedVersion[];
}

const PART_VERBS = ["get", "patch", "update"];

/** Which group a name such as "events" means. Source: kube-apiserver aggregator.go, apiVersionPriorities. */
const GROUP_ORDER = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "flowcontrol.apiserver.k8s.io",
];

export function describeGroups(
  kinds: readonly AnyKind[],
  virtual: readonly VirtualResource[],
): readonly DescribedGroup[] {
  const groups = new Map<string, Map<string, DescribedResource[]>>();
  const add = (group: string, version: string, resource: DescribedResource) => {
    const versions = groups.get(group) ?? new Map<string, DescribedResource[]>();
    groups.set(group, versions);
    versions.set(version, [...(versions.get(version) ?? []), resource]);
  };
  for (const kind of kinds) add(kind.group, kind.version, describeKind(kind));
  for (const one of virtual) add(one.group, one.version, describeVirtual(one));
  return [...groups]
    .sort(([a], [b]) => groupRank(a) - groupRank(b) || (a < b ? -1 : 1))
    .map(([name, versions]) => ({ name, versions: describeVersions(versions) }));
}

const groupRank = (group: string): number => {
  const rank = GROUP_ORDER.indexOf(group);
  return rank < 0 ? GROUP_ORDER.length : rank;
};

const describeVersions = (versions: ReadonlyMap<string, readonly DescribedResource[]>): DescribedVersion[] =>
  [...versions]
    .sort(([a], [b]) => compareVersions(a, b))
    .map(([version, resources]) => ({
      version,
      resources: resources.toSorted((a, b) => (a.plural < b.plural ? -1 : 1)),
    }));

/** v2 before v1 before v1beta2 before v1alpha1. Source: apimachinery version CompareKubeAwareVersionStrings. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionRank(a), versionRank(b)];
  for (let index = 0; index < left.length; index += 1) {
    const difference = (right[index] as number) - (left[index] as number);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : 1;
}

function versionRank(version: string): number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return [-1, 0, 0];
  const [, major, stage, minor] = match;
  return [stage === undefined ? 2 : stage === "beta" ? 1 : 0, Number(major), Number(minor ?? 0)];
}

function describeKind(kind: AnyKind): DescribedResource {
  const responseKind = { group: kind.group, version: kind.version, kind: kind.kind };
  return {
    plural: kind.plural,
    singular: kind.singular,
    isNamespaced: kind.scope === "Namespaced",
    responseKind,
    verbs: kind.verbs,
    shortNames: kind.shortNames,
    categories: kind.categories,
    storageVersionHash: storageVersionHash(responseKind),
    subresources: describeSubresources(kind, responseKind),
  };
}

function describeSubresources({ subresources }: AnyKind, own: DescribedKind): DescribedSubresource[] {
  const { status, scale, parts = {}, served = [] } = subresources;
  const described: DescribedSubresource[] = [];
  if (status) described.push({ name: "status", responseKind: own, verbs: PART_VERBS });
  if (scale) {
    described.push({
      name: "scale",
      responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
      verbs: PART_VERBS,
    });
  }
  for (const name of Object.keys(parts)) {
    described.push({ name, responseKind: own, verbs: name === "finalize" ? ["update"] : PART_VERBS });
  }
  for (const one of served) {
    const { group = own.group, version = own.version, kind } = one;
    described.push({ name: one.name, responseKind: { group, version, kind }, verbs: one.verbs });
  }
  return described.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const describeVirtual = ({
  plural,
  singular,
  isNamespaced,
  group,
  version,
  kind,
}: VirtualResource): DescribedResource => ({
  plural,
  singular,
  isNamespaced,
  responseKind: { group, version, kind },
  verbs: ["create"],
  shortNames: [],
  categories: [],
  storageVersionHash: undefined,
  subresources: [],
});

/** Source: apiserver endpoints/discovery StorageVersionHash. */
const storageVersionHash = ({ group, version, kind }: DescribedKind): string =>
  createHash("sha256").update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString("base64");
