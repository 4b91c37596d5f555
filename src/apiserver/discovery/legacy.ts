/** Discovery one group and version at a time: APIVersions, APIGroupList, APIGroup, APIResourceList. */
import type { DescribedGroup, DescribedResource, DescribedVersion } from "./describedGroups.ts";

const groupVersion = (group: string, version: string) => (group === "" ? version : `${group}/${version}`);

export const apiVersions = (core: DescribedGroup | undefined, serverAddress: string): object => ({
  kind: "APIVersions",
  versions: core?.versions.map(({ version }) => version) ?? [],
  serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
});

export const apiGroupList = (groups: readonly DescribedGroup[]): object => ({
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: groups.filter(({ name }) => name !== "").map(groupFields),
});

export const apiGroup = (group: DescribedGroup): object => ({
  kind: "APIGroup",
  apiVersion: "v1",
  ...groupFields(group),
});

function groupFields({ name, versions }: DescribedGroup) {
  const described = versions.map(({ version }) => ({ groupVersion: groupVersion(name, version), version }));
  return { name, versions: described, preferredVersion: described[0] };
}

export const apiResourceList = (group: string, { version, resources }: DescribedVersion): object => ({
  kind: "APIResourceList",
  ...(group !== "" && { apiVersion: "v1" }),
  groupVersion: groupVersion(group, version),
  resources: resources.flatMap((resource) => [
    resourceFields(resource),
    ...subresourceFields(resource, group, version),
  ]),
});

const resourceFields = (resource: DescribedResource) => ({
  name: resource.plural,
  singularName: resource.singular,
  namespaced: resource.isNamespaced,
  kind: resource.responseKind.kind,
  verbs: resource.verbs,
  ...(resource.shortNames.length > 0 && { shortNames: resource.shortNames }),
  ...(resource.categories.length > 0 && { categories: resource.categories }),
  ...(resource.storageVersionHash !== undefined && { storageVersionHash: resource.storageVersionHash }),
});

const subresourceFields = ({ plural, isNamespaced, subresources }: DescribedResource, group: string, version: string) =>
  subresources.map(({ name, responseKind, verbs }) => ({
    name: `${plural}/${name}`,
    singularName: "",
    namespaced: isNamespaced,
    ...(groupVersion(responseKind.group, responseKind.version) !== groupVersion(group, version) && {
      group: responseKind.group,
      version: responseKind.version,
    }),
    kind: responseKind.kind,
    verbs,
  }));
