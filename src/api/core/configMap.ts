import { defineKind } from "../../machinery/defineKind.ts";
import type { ConfigMap } from "../generated/core-v1.ts";

/** Configuration that pods read as files or variables. */
export const configMap = defineKind<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  scope: "Namespaced",
});
