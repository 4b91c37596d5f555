import { type FieldError, FieldPath } from "../../machinery/fieldErrors.ts";
import type { KubeObject } from "../../machinery/object.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../machinery/objectMeta.ts";
import type { Resource } from "../resources.ts";

const path = new FieldPath("metadata");

/** What is wrong with an object's metadata. */
export const metadataErrors = ({ metadata }: KubeObject, { kind, isNamespaced }: Resource): readonly FieldError[] =>
  validateObjectMeta(metadata, { namespaced: isNamespaced, validateName: kind.validateName }, path);

/** What is wrong with a change of metadata. */
export const metadataUpdateErrors = (next: KubeObject, previous: KubeObject): readonly FieldError[] =>
  validateObjectMetaUpdate(next.metadata, previous.metadata, path);
