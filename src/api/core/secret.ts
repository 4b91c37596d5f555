import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import type { Secret } from "../generated/core-v1.ts";
import { withMissing } from "../missing.ts";

/** Configuration that is not for every eye. */
export const secret = defineKind<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
  fieldSelectors: { type: (secret) => secret.type ?? "" },
  withDefaults: (secret) => withMissing(secret, { type: "Opaque" }),
  columns: [
    nameColumn,
    { name: "Type", type: "string", value: (secret) => secret.type ?? "" },
    { name: "Data", type: "string", value: (secret) => Object.keys(secret.data ?? {}).length },
    ageColumn,
  ],
});
