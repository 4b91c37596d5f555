import { ALL_VERBS, defineKind } from "../../machinery/defineKind.ts";
import type { Namespace } from "../generated/core-v1.ts";

/** What a finalizer may change: the list of finalizers. Source: registry/core/namespace strategy.go, finalize. */
const finalizeNamespace = (next: Namespace, previous: Namespace): Namespace => ({
  ...previous,
  metadata: next.metadata,
  spec: next.spec,
});

/** A part of the cluster in which names are unique. */
export const namespace = defineKind<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  scope: "Cluster",
  verbs: ALL_VERBS.filter((verb) => verb !== "deletecollection"),
  subresources: { status: true, parts: { finalize: finalizeNamespace } },
  fieldSelectors: { "status.phase": (namespace) => namespace.status?.phase ?? "" },
});
