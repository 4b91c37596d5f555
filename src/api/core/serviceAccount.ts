import { defineKind } from "../../machinery/defineKind.ts";
import type { ServiceAccount } from "../generated/core-v1.ts";
import { withEach } from "../missing.ts";

/** Of a secret only the name counts. Source: registry/core/serviceaccount strategy.go, cleanSecretReferences. */
const plainSecretReferences = (account: ServiceAccount): ServiceAccount =>
  withEach(account, "secrets", ({ name }) => ({ name }));

/** Who a pod is towards the API. */
export const serviceAccount = defineKind<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  scope: "Namespaced",
  subresources: {
    served: [{ name: "token", group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", verbs: ["create"] }],
  },
  prepareForCreate: plainSecretReferences,
  prepareForUpdate: plainSecretReferences,
});
