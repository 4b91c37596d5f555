/** The claim inside an ephemeral volume. Source: core/validation ValidatePersistentVolumeClaimTemplate (v1.36). */
import { type FieldError, type FieldPath, forbiddenField, invalid, required } from "../../../machinery/fieldErrors.ts";
import { validateLabelSelector, validateLabels } from "../../../machinery/labelSelector.ts";
import type { ObjectMeta } from "../../../machinery/object.ts";
import { validateAnnotations } from "../../../machinery/objectMeta.ts";
import { compareQuantities, formatQuantity, parseQuantity } from "../../../machinery/quantity.ts";
import { needed, oneOf, optionalOneOf, POSITIVE, subdomain } from "../../checks.ts";
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedObjectReference,
} from "../../generated/core-v1.ts";

const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES = ["Block", "Filesystem"];
const SINGLE = "ReadWriteOncePod";

function accessModeErrors(modes: readonly string[], path: FieldPath): FieldError[] {
  if (modes.length === 0) return [required(path, "at least 1 access mode is required")];
  const errors = modes.flatMap((mode) => oneOf(path, mode, ACCESS_MODES));
  if (modes.includes(SINGLE) && modes.some((mode) => mode !== SINGLE && ACCESS_MODES.includes(mode))) {
    errors.push(forbiddenField(path, "may not use ReadWriteOncePod with other access modes"));
  }
  return errors;
}

function storageErrors(storage: string | undefined, path: FieldPath): FieldError[] {
  if (storage === undefined) return [required(path)];
  return compareQuantities(storage, 0) > 0 ? [] : [invalid(path, formatQuantity(parseQuantity(storage)), POSITIVE)];
}

/** Source: core/validation validateDataSource. */
function dataSourceErrors({ name, kind, apiGroup = "" }: TypedObjectReference, path: FieldPath): FieldError[] {
  const errors = [...needed(path.at("name"), name), ...needed(path.at("kind"), kind)];
  if (apiGroup === "" && kind !== "PersistentVolumeClaim") {
    errors.push(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  return apiGroup === "" ? errors : [...errors, ...subdomain(path.at("apiGroup"), apiGroup)];
}

function claimSpecErrors(spec: PersistentVolumeClaimSpec, path: FieldPath): FieldError[] {
  const { storageClassName, volumeAttributesClassName, dataSource, dataSourceRef } = spec;
  return [
    ...accessModeErrors(spec.accessModes ?? [], path.at("accessModes")),
    ...validateLabelSelector(spec.selector, path.at("selector")),
    ...storageErrors(spec.resources?.requests?.storage, path.at("resources").key("storage")),
    ...(storageClassName ? subdomain(path.at("storageClassName"), storageClassName) : []),
    ...optionalOneOf(path.at("volumeMode"), spec.volumeMode, VOLUME_MODES),
    ...(dataSource ? dataSourceErrors(dataSource, path.at("dataSource")) : []),
    ...(dataSourceRef ? dataSourceErrors(dataSourceRef, path.at("dataSourceRef")) : []),
    ...(volumeAttributesClassName ? subdomain(path.at("volumeAttributesClassName"), volumeAttributesClassName) : []),
  ];
}

/** A template carries labels and annotations and nothing else of metadata. */
export function validateClaimTemplate(
  { metadata, spec }: PersistentVolumeClaimTemplate,
  path: FieldPath,
): FieldError[] {
  const { labels, annotations, ...rest }: Partial<ObjectMeta> = metadata ?? {};
  const at = path.at("metadata");
  return [
    ...validateAnnotations(annotations, at.at("annotations")),
    ...validateLabels(labels, at.at("labels")),
    ...Object.entries(rest)
      .filter(([, value]) => value !== undefined && value !== null && value !== "")
      .map(([field]) => forbiddenField(at.at(field), "cannot be set")),
    ...claimSpecErrors(spec, path.at("spec")),
  ];
}
