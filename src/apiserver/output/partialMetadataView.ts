import type { KubeObject } from "../../machinery/object.ts";
import type { Resource } from "../resources.ts";
import { objectResponse, type View } from "./view.ts";

const made = new Map<string, WeakMap<KubeObject, object>>();

/** `{ kind: PartialObjectMetadata, apiVersion, metadata }`, once per object. */
export function partialMetadata(object: KubeObject, apiVersion: string): object {
  const known = made.get(apiVersion) ?? new WeakMap<KubeObject, object>();
  made.set(apiVersion, known);
  const partial = known.get(object) ?? { kind: "PartialObjectMetadata", apiVersion, metadata: object.metadata };
  known.set(object, partial);
  return partial;
}

/** Objects without anything but their metadata, as the garbage collector and kubectl's deletion ask for. */
export function partialMetadataView({ toServed }: Resource, apiVersion: string): View {
  const one = (stored: KubeObject) => partialMetadata(toServed(stored), apiVersion);
  return {
    key: `metadata/${apiVersion}`,
    one,
    bookmark: (served) => partialMetadata(served, apiVersion),
    list: (stored, metadata) =>
      objectResponse({ kind: "PartialObjectMetadataList", apiVersion, metadata, items: stored.map(one) }),
  };
}
