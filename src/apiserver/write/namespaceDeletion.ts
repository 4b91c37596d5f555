/** A Namespace goes when its content has gone. Source: kubernetes pkg/registry/core/namespace/storage. */
import type { Namespace } from "../../api/generated/core-v1.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { WriteHook } from "./hooks.ts";

const asNamespace = (object: KubeObject) => object as unknown as Namespace;

export const namespaceDeletion: WriteHook = {
  group: "",
  plural: "namespaces",
  holdsDeletion: (object) => (asNamespace(object).spec?.finalizers ?? []).length > 0,
  markDeleting: (object) => {
    const namespace = asNamespace(object);
    return { ...namespace, status: { ...namespace.status, phase: "Terminating" } } as unknown as KubeObject;
  },
};
