import { ALL_VERBS, ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import { nameIsDnsLabel } from "../../machinery/objectMeta.ts";
import type { Namespace } from "../generated/core-v1.ts";
import {
  prepareNamespaceForCreate,
  prepareNamespaceForUpdate,
  validateNamespace,
  validateNamespaceUpdate,
} from "./namespaceValidation.ts";

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
  validateName: nameIsDnsLabel,
  prepareForCreate: prepareNamespaceForCreate,
  prepareForUpdate: prepareNamespaceForUpdate,
  validate: validateNamespace,
  validateUpdate: validateNamespaceUpdate,
});
