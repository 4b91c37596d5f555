import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import type { Secret } from "../generated/core-v1.ts";
import { withMissing } from "../missing.ts";
import { validateSecret, validateSecretUpdate } from "./dataValidation.ts";
import { tlsPairReason } from "./tlsPairReason.ts";

/** Plain text is only a way to write data. Source: apis/core/v1/conversion.go, Convert_v1_Secret_To_core_Secret. */
function withStringData(secret: Secret): Secret {
  if (secret.stringData === undefined) return secret;
  const { stringData, ...rest } = secret;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  return encoded.length === 0 ? rest : { ...rest, data: { ...rest.data, ...Object.fromEntries(encoded) } };
}

const textOf = ({ data }: Secret, key: string): string => Buffer.from(data?.[key] ?? "", "base64").toString("latin1");

/** Source: registry/core/secret strategy.go, warningsForSecret. */
function secretWarnings(secret: Secret): string[] {
  if (secret.type !== "kubernetes.io/tls") return [];
  const reason = tlsPairReason(textOf(secret, "tls.crt"), textOf(secret, "tls.key"));
  return reason === undefined ? [] : [reason];
}

/** Configuration that is not for every eye. */
export const secret = defineKind<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
  fieldSelectors: { type: (secret) => secret.type ?? "" },
  withDefaults: (secret) => withMissing(withStringData(secret), { type: "Opaque" }),
  columns: [
    nameColumn,
    { name: "Type", type: "string", value: (secret) => secret.type ?? "" },
    { name: "Data", type: "string", value: (secret) => Object.keys(secret.data ?? {}).length },
    ageColumn,
  ],
  validate: validateSecret,
  validateUpdate: validateSecretUpdate,
  warnings: secretWarnings,
});
