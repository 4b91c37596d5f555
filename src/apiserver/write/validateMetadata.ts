import { type FieldError, FieldPath, invalid, required } from "../../machinery/fieldErrors.ts";
import { dns1123Subdomain } from "../../machinery/names.ts";
import type { KubeObject } from "../../machinery/object.ts";
import type { Resource } from "../resources.ts";

const path = new FieldPath("metadata");

/** What is wrong with a new object's metadata. */
export function metadataErrors({ metadata }: KubeObject, { kind, isNamespaced }: Resource): readonly FieldError[] {
  const errors: FieldError[] = [];
  const reasons = kind.validateName ?? dns1123Subdomain;
  if (metadata.name === "") errors.push(required(path.at("name"), "name or generateName is required"));
  else for (const reason of reasons(metadata.name, false)) errors.push(invalid(path.at("name"), metadata.name, reason));
  if (isNamespaced && !metadata.namespace) errors.push(required(path.at("namespace")));
  return errors;
}

/** What is wrong with a change of metadata. */
export function metadataUpdateErrors(next: KubeObject, previous: KubeObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ["name", "namespace", "uid", "creationTimestamp"] as const) {
    if (next.metadata[name] !== previous.metadata[name]) {
      errors.push(invalid(path.at(name), next.metadata[name], "field is immutable"));
    }
  }
  return errors;
}
