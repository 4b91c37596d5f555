/** The paths that say what there is: `/api`, `/apis` and below, `/version`, `/`. */

import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import { objectResponse } from "../output/view.ts";
import type { Resources } from "../resources.ts";
import type { VirtualResource } from "../virtualResources.ts";
import { aggregatedResponse, aggregatedVersion } from "./aggregated.ts";
import { type DescribedGroup, describeGroups } from "./describedGroups.ts";
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from "./legacy.ts";

export interface DiscoveryOptions {
  readonly resources: Resources;
  readonly virtual: readonly VirtualResource[];
  /** "10.0.0.1:6443", as told to clients. */
  readonly serverAddress: string;
}

export interface Discovery {
  /** Undefined for a path that is not of discovery. */
  handle(request: ApiRequest): ApiResponse | undefined;
  readonly groups: () => readonly DescribedGroup[];
}

export function createDiscovery({ resources, virtual, serverAddress }: DiscoveryOptions): Discovery {
  let made: { readonly generation: number; readonly groups: readonly DescribedGroup[] } | undefined;
  const groups = (): readonly DescribedGroup[] => {
    if (made?.generation !== resources.generation) {
      const kinds = resources.all().map(({ kind }) => kind);
      made = { generation: resources.generation, groups: describeGroups(kinds, virtual) };
    }
    return made.groups;
  };

  function handle({ path, headers = {} }: ApiRequest): ApiResponse | undefined {
    const [prefix, ...parts] = path.split("/").filter((part) => part !== "");
    if (prefix !== "api" && prefix !== "apis") return undefined;
    if (parts.length === 0) {
      const version = aggregatedVersion(headers.accept);
      const chosen = groups().filter(({ name }) => (name === "") === (prefix === "api"));
      if (version !== undefined) return aggregatedResponse(chosen, version, headers["if-none-match"]);
      const plain = prefix === "api" ? apiVersions(chosen[0], serverAddress) : apiGroupList(chosen);
      return objectResponse(plain);
    }
    const [groupName = "", versionName] = prefix === "api" ? ["", parts[0]] : parts;
    if (parts.length > (prefix === "api" ? 1 : 2)) return undefined;
    const group = groups().find(({ name }) => name === groupName);
    if (group === undefined) return undefined;
    if (versionName === undefined) return objectResponse(apiGroup(group));
    const version = group.versions.find((one) => one.version === versionName);
    return version === undefined ? undefined : objectResponse(apiResourceList(groupName, version));
  }

  return { handle, groups };
}
