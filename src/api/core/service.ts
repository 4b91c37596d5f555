import { defineKind } from "../../machinery/defineKind.ts";
import { nameIsDnsLabel } from "../../machinery/objectMeta.ts";
import type { Service } from "../generated/core-v1.ts";
import { withoutStatus } from "../strategy.ts";
import { serviceColumns } from "./serviceColumns.ts";
import { serviceDefaults } from "./serviceDefaults.ts";
import { prepareServiceForUpdate } from "./serviceStrategy.ts";
import { validateService, validateServiceUpdate } from "./serviceValidation.ts";
import { serviceWarnings } from "./serviceWarnings.ts";

/** One stable address for the pods that a selector names. */
export const service = defineKind<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  scope: "Namespaced",
  storagePrefix: "/registry/services/specs",
  subresources: {
    status: true,
    served: [{ name: "proxy", kind: "ServiceProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] }],
  },
  fieldSelectors: {
    "spec.clusterIP": (service) => service.spec?.clusterIP ?? "",
    "spec.type": (service) => service.spec?.type ?? "",
  },
  createOnUpdate: true,
  withDefaults: serviceDefaults,
  columns: serviceColumns,
  validateName: nameIsDnsLabel,
  prepareForCreate: withoutStatus,
  prepareForUpdate: prepareServiceForUpdate,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  warnings: serviceWarnings,
});
