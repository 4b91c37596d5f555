import { ALL_VERBS, ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import type { Namespace } from "../generated/core-v1.ts";

/** What a finalizer may change: the list of finalizers. Source: registry/core/namespace strategy.go, finalize. */
const finalizeNamespace = (next: Namespace, previous: Namespace): Namespace => ({
  ...previous,
  metadata: next.metadata,
  spec: next.spec,
});

/** Source: core/v1 LabelMetadataName. */
const NAME_LABEL = "kubernetes.io/metadata.name";

/** Every namespace wears its name as a label. Source: apis/core/v1/defaults.go, SetDefaults_Namespace. */
function namespaceDefaults(namespace: Namespace): Namespace {
  const { name, labels } = namespace.metadata;
  const labelled =
    !name || labels?.[NAME_LABEL] === name
      ? namespace
      : { ...namespace, metadata: { ...namespace.metadata, labels: { ...labels, [NAME_LABEL]: name } } };
  return labelled.status?.phase ? labelled : { ...labelled, status: { ...labelled.status, phase: "Active" } };
}

/** Source: core/v1 FinalizerKubernetes. */
const KUBERNETES_FINALIZER = "kubernetes";

/** It cannot go before the namespace controller has emptied it. Source: registry/core/namespace strategy.go, PrepareForCreate. */
function withFinalizer(namespace: Namespace): Namespace {
  const finalizers = namespace.spec?.finalizers ?? [];
  const held = finalizers.includes(KUBERNETES_FINALIZER) ? finalizers : [...finalizers, KUBERNETES_FINALIZER];
  return { ...namespace, spec: { ...namespace.spec, finalizers: held }, status: { phase: "Active" } };
}

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
  withDefaults: namespaceDefaults,
  prepareForCreate: withFinalizer,
  // Its finalizers are written apart. Source: strategy.go, PrepareForUpdate.
  prepareForUpdate: (next, previous, { subresource }) =>
    subresource === "finalize" ? next : { ...next, spec: previous.spec },
  columns: [
    nameColumn,
    {
      name: "Status",
      type: "string",
      description: "The status of the namespace",
      value: (namespace) => namespace.status?.phase ?? "",
    },
    ageColumn,
  ],
});
