import { defineKind } from "../../machinery/defineKind.ts";
import type { ServiceAccount } from "../generated/core-v1.ts";

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
});
