import { ageColumn, defineKind, nameColumn } from "../../machinery/defineKind.ts";
import type { ConfigMap } from "../generated/core-v1.ts";
import { validateConfigMap, validateConfigMapUpdate } from "./dataValidation.ts";

const keyCount = ({ data, binaryData }: ConfigMap): number =>
  Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length;

/** Configuration that pods read as files or variables. */
export const configMap = defineKind<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  scope: "Namespaced",
  columns: [nameColumn, { name: "Data", type: "string", value: keyCount }, ageColumn],
  validate: validateConfigMap,
  validateUpdate: validateConfigMapUpdate,
});
