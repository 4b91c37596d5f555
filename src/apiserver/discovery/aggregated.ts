/** Everything in one answer, as clients since 1.26 ask for it. Source: apidiscovery.k8s.io v2. */
import { createHash } from "node:crypto";
import type { ApiResponse } from "../../machinery/requests.ts";
import { parseAccept } from "../output/accept.ts";
import type { DescribedGroup, DescribedResource } from "./describedGroups.ts";

const VERSIONS = ["v2", "v2beta1"];

/** The version of the aggregated form that the client prefers to any other, if so. */
export function aggregatedVersion(accept: string | undefined): string | undefined {
  for (const { mediaType, parameters } of parseAccept(accept)) {
    if (mediaType !== "application/json" && mediaType !== "*/*") continue;
    const { as, g: group, v: version = "" } = parameters;
    if (as === undefined) return undefined;
    if (as === "APIGroupDiscoveryList" && group === "apidiscovery.k8s.io" && VERSIONS.includes(version)) return version;
  }
  return undefined;
}

export function aggregatedResponse(
  groups: readonly DescribedGroup[],
  version: string,
  ifNoneMatch: string | undefined,
): ApiResponse {
  const bytes = Buffer.from(
    JSON.stringify({
      kind: "APIGroupDiscoveryList",
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map(groupItem),
    }),
  );
  const etag = `"${createHash("sha512").update(bytes).digest("hex").toUpperCase()}"`;
  const headers = { etag, vary: "Accept", "cache-control": "public" };
  const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  if (ifNoneMatch === etag) return { type: "bytes", status: 304, contentType, headers, bytes: new Uint8Array() };
  return { type: "bytes", status: 200, contentType, headers, bytes };
}

const groupItem = ({ name, versions }: DescribedGroup) => ({
  metadata: { ...(name !== "" && { name }) },
  versions: versions.map(({ version, resources }) => ({
    version,
    resources: resources.map(resourceItem),
    freshness: "Current",
  })),
});

const resourceItem = (resource: DescribedResource) => ({
  resource: resource.plural,
  responseKind: resource.responseKind,
  scope: resource.isNamespaced ? "Namespaced" : "Cluster",
  singularResource: resource.singular,
  verbs: resource.verbs,
  ...(resource.shortNames.length > 0 && { shortNames: resource.shortNames }),
  ...(resource.categories.length > 0 && { categories: resource.categories }),
  ...(resource.subresources.length > 0 && {
    subresources: resource.subresources.map(({ name, responseKind, verbs }) => ({
      subresource: name,
      responseKind,
      verbs,
    })),
  }),
});
