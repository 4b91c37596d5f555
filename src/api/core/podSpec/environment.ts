/** Environment variables. Source: core/validation ValidateEnv, ValidateEnvFrom (v1.36). */
import { type FieldError, type FieldPath, fieldNotFound, invalid, required } from "../../../machinery/fieldErrors.ts";
import { configMapKeyReasons, relaxedEnvVarNameReasons } from "../../../machinery/names.ts";
import { nameIsDnsSubdomain } from "../../../machinery/objectMeta.ts";
import { because, each, neededLabel, noBacksteps } from "../../checks.ts";
import type {
  ConfigMapKeySelector,
  Container,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  PodSpec,
} from "../../generated/core-v1.ts";
import { ENV_FIELDS, validateFieldReference, validateResourceReference } from "./fieldReferences.ts";

const SEVERAL = "may not have more than one field specified at a time";

function keyErrors({ name, key }: ConfigMapKeySelector, path: FieldPath): FieldError[] {
  return [
    ...because(path.at("name"), name ?? "", nameIsDnsSubdomain(name ?? "", false)),
    ...(key ? because(path.at("key"), key, configMapKeyReasons(key)) : [required(path.at("key"))]),
  ];
}

function fileKeyErrors({ key, volumeName, path: file }: FileKeySelector, path: FieldPath): FieldError[] {
  return [
    ...(key ? because(path.at("key"), key, relaxedEnvVarNameReasons(key)) : [required(path.at("key"))]),
    ...neededLabel(path.at("volumeName"), volumeName),
    ...(file ? noBacksteps(path.at("path"), file) : [required(path.at("path"))]),
  ];
}

function sourceErrors(source: EnvVarSource, value: string | undefined, path: FieldPath): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const errors: FieldError[] = [];
  if (fieldRef) errors.push(...validateFieldReference(fieldRef, ENV_FIELDS, path.at("fieldRef")));
  if (resourceFieldRef) {
    errors.push(...validateResourceReference(resourceFieldRef, { inVolume: false }, path.at("resourceFieldRef")));
  }
  if (configMapKeyRef) errors.push(...keyErrors(configMapKeyRef, path.at("configMapKeyRef")));
  if (secretKeyRef) errors.push(...keyErrors(secretKeyRef, path.at("secretKeyRef")));
  if (fileKeyRef) errors.push(...fileKeyErrors(fileKeyRef, path.at("fileKeyRef")));
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (count === 0) {
    const names = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    errors.push(invalid(path, "", `must specify one of: ${names}`));
  } else if (value) errors.push(invalid(path, "", "may not be specified when `value` is not empty"));
  else if (count > 1) errors.push(invalid(path, "", SEVERAL));
  return errors;
}

export const validateEnv = (variables: readonly EnvVar[] | undefined, path: FieldPath): FieldError[] =>
  each(path, variables, ({ name, value, valueFrom }, at) => [
    ...(name ? because(at.at("name"), name, relaxedEnvVarNameReasons(name)) : [required(at.at("name"))]),
    ...(valueFrom ? sourceErrors(valueFrom, value, at.at("valueFrom")) : []),
  ]);

/** A ConfigMap or a Secret as a whole; upstream checks the name as a prefix here. */
const refErrors = (ref: { readonly name?: string } | undefined, path: FieldPath): FieldError[] => {
  if (ref === undefined) return [];
  return ref.name
    ? because(path.at("name"), ref.name, nameIsDnsSubdomain(ref.name, true))
    : [required(path.at("name"))];
};

export const validateEnvFrom = (sources: readonly EnvFromSource[] | undefined, path: FieldPath): FieldError[] =>
  each(path, sources, ({ prefix, configMapRef, secretRef }, at) => {
    const errors = [
      ...(prefix ? because(at.at("prefix"), prefix, relaxedEnvVarNameReasons(prefix)) : []),
      ...refErrors(configMapRef, at.at("configMapRef")),
      ...refErrors(secretRef, at.at("secretRef")),
    ];
    if (!configMapRef && !secretRef) {
      errors.push(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    } else if (configMapRef && secretRef) errors.push(invalid(path, "", SEVERAL));
    return errors;
  });

/** A variable read from a file needs an emptyDir in which the file is. Source: validateFileKeyRefVolumes. */
export function validateFileKeyVolumes(
  spec: PodSpec,
  containers: readonly { readonly container: Container; readonly path: FieldPath }[],
): FieldError[] {
  return containers.flatMap(({ container, path }) =>
    each(path.at("env"), container.env, ({ valueFrom }, at) => {
      const reference = valueFrom?.fileKeyRef;
      if (reference === undefined) return [];
      const volume = spec.volumes?.find(({ name }) => name === reference.volumeName);
      const namePath = at.at("valueFrom", "fileKeyRef", "volumeName");
      if (volume === undefined) return [fieldNotFound(namePath, reference.volumeName)];
      if (volume.emptyDir !== undefined) return [];
      return [invalid(namePath, reference.volumeName, "referenced volume must be of type emptyDir")];
    }),
  );
}
