import { type FieldError, FieldPath, invalid } from "../../machinery/fieldErrors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import { validateFinalizers, validateObjectMeta, validateObjectMetaUpdate } from "../../machinery/objectMeta.ts";
import type { Resource } from "../resources.ts";

const path = new FieldPath("metadata");

/** Source: kubernetes pkg/apis/core/helper IsStandardFinalizerName. */
const STANDARD_FINALIZERS = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** What is wrong with an object's metadata. */
export const metadataErrors = (object: KubeObject, { kind, isNamespaced }: Resource): readonly FieldError[] => [
  ...validateObjectMeta(object.metadata, { namespaced: isNamespaced, validateName: kind.validateName }, path),
  ...finalizerErrors(object),
];

/** What is wrong with a change of metadata. */
export const metadataUpdateErrors = (next: KubeObject, previous: KubeObject): readonly FieldError[] => [
  ...validateObjectMetaUpdate(next.metadata, previous.metadata, path),
  ...validateFinalizers(next.metadata.finalizers, path.at("finalizers")),
  ...finalizerErrors(next),
];

/** Built-in kinds are stricter than others. Source: kubernetes pkg/apis/core/validation, validateKubeFinalizerName. */
const finalizerErrors = ({ metadata: { finalizers = [] } }: KubeObject): readonly FieldError[] =>
  finalizers.flatMap((name, index) =>
    name.includes("/") || STANDARD_FINALIZERS.has(name)
      ? []
      : [
          invalid(
            path.at("finalizers").index(index),
            name,
            "name is neither a standard finalizer name nor is it fully qualified",
          ),
        ],
  );
