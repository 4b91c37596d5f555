/** Checks of metadata, for every kind alike. Source: apimachinery api/validation/objectmeta.go (v1.36). */
import { deepEqual } from "./deepEqual.ts";
import { type FieldError, type FieldPath, forbiddenField, invalid, required, tooLong } from "./fieldErrors.ts";
import { validateLabels } from "./labelSelector.ts";
import { dns1123Label, dns1123Subdomain, maskTrailingDash, qualifiedNameReasons } from "./names.ts";
import { type ManagedFieldsEntry, type ObjectMeta, type OwnerReference, parseApiVersion } from "./object.ts";

/** Of all keys and values together. Source: TotalAnnotationSizeLimitB. */
export const ANNOTATIONS_BYTES_MAX = 256 * 1024;
/** Source: meta/v1/validation MaxSubresourceNameLength, FieldManagerMaxLength. */
const SUBRESOURCE_BYTES_MAX = 256;
const FIELD_MANAGER_BYTES_MAX = 128;

const IMMUTABLE = "field is immutable";

/** Reasons why a name is wrong; `isPrefix` for a generateName. */
export type ValidateName = (name: string, isPrefix: boolean) => readonly string[];

/** Names as most kinds have them. Source: NameIsDNSSubdomain. */
export const nameIsDnsSubdomain: ValidateName = (name, isPrefix) =>
  dns1123Subdomain(isPrefix ? maskTrailingDash(name) : name);
/** Source: NameIsDNSLabel. */
export const nameIsDnsLabel: ValidateName = (name, isPrefix) => dns1123Label(isPrefix ? maskTrailingDash(name) : name);

export interface ObjectMetaRules {
  readonly namespaced: boolean;
  /** Left out: a DNS subdomain. */
  readonly validateName?: ValidateName | undefined;
}

type Meta = Partial<ObjectMeta>;

export function validateObjectMeta(
  meta: Meta,
  { namespaced, validateName = nameIsDnsSubdomain }: ObjectMetaRules,
  path: FieldPath,
): FieldError[] {
  const { name, generateName, generation = 0 } = meta;
  const errors: FieldError[] = [];
  if (generateName) {
    for (const reason of validateName(generateName, true)) {
      errors.push(invalid(path.at("generateName"), generateName, reason));
    }
  }
  if (!name) errors.push(required(path.at("name"), "name or generateName is required"));
  else for (const reason of validateName(name, false)) errors.push(invalid(path.at("name"), name, reason));
  errors.push(...validateNamespace(meta, namespaced, path.at("namespace")));
  if (generation < 0) {
    errors.push(invalid(path.at("generation"), generation, "must be greater than or equal to 0"));
  }
  return [
    ...errors,
    ...validateLabels(meta.labels, path.at("labels")),
    ...validateAnnotations(meta.annotations, path.at("annotations")),
    ...validateOwnerReferences(meta.ownerReferences, path.at("ownerReferences")),
    ...validateFinalizers(meta.finalizers, path.at("finalizers")),
    ...validateManagedFields(meta.managedFields, path.at("managedFields")),
  ];
}

function validateNamespace({ namespace }: Meta, namespaced: boolean, path: FieldPath): FieldError[] {
  if (!namespaced) return namespace ? [forbiddenField(path, "not allowed on this type")] : [];
  if (!namespace) return [required(path)];
  return nameIsDnsLabel(namespace, false).map((reason) => invalid(path, namespace, reason));
}

const bytes = (text: string): number => Buffer.byteLength(text);

export function validateAnnotations(annotations: Meta["annotations"], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let total = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const reason of qualifiedNameReasons(key.toLowerCase())) errors.push(invalid(path, key, reason));
    total += bytes(key) + bytes(value);
  }
  if (total > ANNOTATIONS_BYTES_MAX) errors.push(tooLong(path, ANNOTATIONS_BYTES_MAX));
  return errors;
}

function validateOwnerReference(reference: OwnerReference, path: FieldPath): FieldError[] {
  const { apiVersion = "" } = reference;
  const errors: FieldError[] = [];
  // What has more than one slash is no group and version at all. Source: schema.FromAPIVersionAndKind.
  if (parseApiVersion(apiVersion).version === "" || apiVersion.split("/").length > 2) {
    errors.push(invalid(path.at("apiVersion"), apiVersion, "version must not be empty"));
  }
  for (const field of ["kind", "name", "uid"] as const) {
    if (!reference[field]) errors.push(invalid(path.at(field), "", "must not be empty"));
  }
  if (reference.apiVersion === "v1" && reference.kind === "Event") {
    errors.push(invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner"));
  }
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[] = [], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let first = "";
  for (const reference of references) {
    errors.push(...validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    const current = `${reference.kind}/${reference.name}`;
    if (first !== "") {
      const found = `Found "true" in references for ${first} and ${current}`;
      errors.push(invalid(path, references, `Only one reference can have Controller set to true. ${found}`));
    } else first = current;
  }
  return errors;
}

export function validateFinalizers(finalizers: readonly string[] = [], path: FieldPath): FieldError[] {
  const errors = finalizers.flatMap((name) => qualifiedNameReasons(name).map((reason) => invalid(path, name, reason)));
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  return errors;
}

/** Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Source: meta/v1/validation ValidateFieldManager. */
export function validateFieldManager(manager: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (bytes(manager) > FIELD_MANAGER_BYTES_MAX) errors.push(tooLong(path, FIELD_MANAGER_BYTES_MAX));
  for (const [index, character] of [...manager].entries()) {
    if (PRINTABLE.test(character)) continue;
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const position = bytes([...manager].slice(0, index).join(""));
    errors.push(invalid(path, manager, `invalid character U+${code} (at position ${position})`));
  }
  return errors;
}

export function validateManagedFields(entries: readonly ManagedFieldsEntry[] = [], path: FieldPath): FieldError[] {
  return entries.flatMap((entry, index) => {
    const at = path.index(index);
    const errors: FieldError[] = [];
    const { operation = "", fieldsType = "", manager = "", subresource = "" } = entry;
    if (operation !== "Apply" && operation !== "Update") {
      errors.push(invalid(at.at("operation"), operation, "must be `Apply` or `Update`"));
    }
    if (fieldsType !== "" && fieldsType !== "FieldsV1") {
      errors.push(invalid(at.at("fieldsType"), fieldsType, "must be `FieldsV1`"));
    }
    errors.push(...validateFieldManager(manager, at.at("manager")));
    if (bytes(subresource) > SUBRESOURCE_BYTES_MAX) {
      errors.push(tooLong(at.at("subresource"), SUBRESOURCE_BYTES_MAX));
    }
    return errors;
  });
}

/** Source: ValidateImmutableField. */
export const validateImmutable = (next: unknown, previous: unknown, path: FieldPath): FieldError[] =>
  deepEqual(next, previous) ? [] : [invalid(path, next, IMMUTABLE)];

const IMMUTABLE_FIELDS = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

/** Errors of the change; the whole of what `validateObjectMeta` checks is checked too, as upstream does. */
export function validateObjectMetaUpdate(next: Meta, previous: Meta, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (previous.deletionTimestamp !== undefined) {
    errors.push(...validateNoNewFinalizers(next.finalizers, previous.finalizers, path.at("finalizers")));
  }
  if (!next.resourceVersion) {
    errors.push(invalid(path.at("resourceVersion"), "", "must be specified for an update"));
  }
  if ((next.generation ?? 0) < (previous.generation ?? 0)) {
    errors.push(invalid(path.at("generation"), next.generation ?? 0, "must not be decremented"));
  }
  for (const field of IMMUTABLE_FIELDS) {
    errors.push(...validateImmutable(next[field], previous[field], path.at(field)));
  }
  return [
    ...errors,
    ...validateLabels(next.labels, path.at("labels")),
    ...validateAnnotations(next.annotations, path.at("annotations")),
    ...validateOwnerReferences(next.ownerReferences, path.at("ownerReferences")),
    ...validateManagedFields(next.managedFields, path.at("managedFields")),
  ];
}

/** An object that is going away takes no new finalizers; the list is printed as Go prints one. */
function validateNoNewFinalizers(
  next: Meta["finalizers"],
  previous: Meta["finalizers"],
  path: FieldPath,
): FieldError[] {
  const extra = [...new Set(next)].filter((name) => !previous?.includes(name)).sort();
  if (extra.length === 0) return [];
  const shown = `[]string{${extra.map((name) => JSON.stringify(name)).join(", ")}}`;
  const message = "no new finalizers can be added if the object is being deleted, found new finalizers";
  return [forbiddenField(path, `${message} ${shown}`)];
}
