import { defineKind } from "../../machinery/defineKind.ts";
import type { Secret } from "../generated/core-v1.ts";

/** Configuration that is not for every eye. */
export const secret = defineKind<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
  fieldSelectors: { type: (secret) => secret.type ?? "" },
});
