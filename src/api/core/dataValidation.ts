/** Data of ConfigMaps and Secrets. Source: core/validation ValidateConfigMap, ValidateSecret (v1.36). */
import { deepEqual } from "../../machinery/deepEqual.ts";
import { type FieldError, FieldPath, forbiddenField, invalid, required, tooLong } from "../../machinery/fieldErrors.ts";
import { goJsonObjectError } from "../../machinery/goJsonError.ts";
import { configMapKeyReasons } from "../../machinery/names.ts";
import { validateImmutable } from "../../machinery/objectMeta.ts";
import { because } from "../checks.ts";
import type { ConfigMap, Secret } from "../generated/core-v1.ts";

/** Of all values together. Source: apis/core MaxSecretSize. */
export const DATA_BYTES_MAX = 1024 * 1024;

type Data = Readonly<Record<string, string>> | undefined;

const dataPath = new FieldPath("data");
const binaryPath = new FieldPath("binaryData");

const keyErrors = (path: FieldPath, key: string): FieldError[] => because(path.key(key), key, configMapKeyReasons(key));

const textBytes = (data: Data): number =>
  Object.values(data ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
/** Of what the Base64 stands for. */
const binaryBytes = (data: Data): number =>
  Object.values(data ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value, "base64"), 0);

export function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors = Object.keys(data).flatMap((key) => [
    ...keyErrors(dataPath, key),
    ...(binaryData[key] === undefined
      ? []
      : [invalid(dataPath.key(key), key, "duplicate of key present in binaryData")]),
  ]);
  errors.push(...Object.keys(binaryData).flatMap((key) => keyErrors(binaryPath, key)));
  // The object itself, as Go prints the path of an empty name.
  const tooMuch = textBytes(data) + binaryBytes(binaryData) > DATA_BYTES_MAX;
  return tooMuch ? [...errors, tooLong(new FieldPath("[]"), DATA_BYTES_MAX)] : errors;
}

interface Sealable {
  readonly immutable?: boolean;
}

/** What was sealed stays sealed. */
function sealErrors<T extends Sealable>(next: T, previous: T, fields: readonly (keyof T & string)[]): FieldError[] {
  if (previous.immutable !== true) return [];
  const reason = "field is immutable when `immutable` is set";
  return [
    ...(next.immutable === true ? [] : [forbiddenField(new FieldPath("immutable"), reason)]),
    ...fields
      .filter((field) => !deepEqual(next[field] ?? {}, previous[field] ?? {}))
      .map((field) => forbiddenField(new FieldPath(field), reason)),
  ];
}

export const validateConfigMapUpdate = (next: ConfigMap, previous: ConfigMap): FieldError[] =>
  sealErrors(next, previous, ["data", "binaryData"]);

function dockerErrors(data: NonNullable<Data>, key: string): FieldError[] {
  const value = data[key];
  if (value === undefined) return [required(dataPath.key(key))];
  const reason = goJsonObjectError(Buffer.from(value, "base64"));
  return reason === undefined ? [] : [invalid(dataPath.key(key), "<secret contents redacted>", reason)];
}

const missing = (data: NonNullable<Data>, ...keys: string[]): FieldError[] =>
  keys.filter((key) => data[key] === undefined).map((key) => required(dataPath.key(key)));

const SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name";

/** What a type promises is there. */
function typeErrors({ type, metadata, data = {} }: Secret): FieldError[] {
  switch (type) {
    case "kubernetes.io/service-account-token":
      return metadata.annotations?.[SERVICE_ACCOUNT_NAME]
        ? []
        : [required(new FieldPath("metadata").at("annotations").key(SERVICE_ACCOUNT_NAME))];
    case "kubernetes.io/dockercfg":
      return dockerErrors(data, ".dockercfg");
    case "kubernetes.io/dockerconfigjson":
      return dockerErrors(data, ".dockerconfigjson");
    case "kubernetes.io/basic-auth": {
      const errors = missing(data, "username", "password");
      return errors.length === 2 ? errors : [];
    }
    case "kubernetes.io/ssh-auth":
      return data["ssh-privatekey"] ? [] : [required(dataPath.key("ssh-privatekey"))];
    case "kubernetes.io/tls":
      return missing(data, "tls.crt", "tls.key");
    default:
      return [];
  }
}

export function validateSecret(secret: Secret): FieldError[] {
  const errors = Object.keys(secret.data ?? {}).flatMap((key) => keyErrors(dataPath, key));
  if (binaryBytes(secret.data) > DATA_BYTES_MAX) errors.push(tooLong(dataPath, DATA_BYTES_MAX));
  return [...errors, ...typeErrors(secret)];
}

export const validateSecretUpdate = (next: Secret, previous: Secret): FieldError[] => [
  ...validateImmutable(next.type, previous.type, new FieldPath("type")),
  ...sealErrors(next, previous, ["data"]),
];
