/** The form in which objects are served: as they are, as a Table, as metadata only. */
import { apiVersionOf, type KubeObject } from "../../machinery/object.ts";
import type { ApiResponse } from "../../machinery/requests.ts";
import type { Resource } from "../resources.ts";
import { jsonLine } from "../store/objectJson.ts";
import { listJson } from "./listJson.ts";

export interface ListMetadata {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface View {
  /** Equal for views that give the same frames, which are then shared among watchers. */
  readonly key: string;
  /** From a stored object. @param withHeader the first one of a watch (a Table then names its columns). */
  one(stored: KubeObject, withHeader: boolean): object;
  /** From what a bookmark carries: an object with nothing but metadata, in the resource's version. */
  bookmark(served: KubeObject, withHeader: boolean): object;
  list(stored: readonly KubeObject[], metadata: ListMetadata): ObjectResponse;
}

export type ObjectResponse = Extract<ApiResponse, { type: "object" }>;

export const objectResponse = (object: object, status = 200): ObjectResponse => ({
  type: "object",
  status,
  object,
  bytes: () => jsonLine(object),
});

/** Objects as they are, in the resource's version. */
export function plainView({ kind, toServed }: Resource): View {
  const head = { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind) };
  return {
    key: kind.storedAs === undefined ? "" : head.apiVersion,
    one: toServed,
    bookmark: (served) => served,
    list: (stored, metadata) => {
      const items = kind.storedAs === undefined ? stored : stored.map(toServed);
      const list = { ...head, metadata, items };
      return { type: "object", status: 200, object: list, bytes: () => listJson({ ...head, metadata }, items) };
    },
  };
}
