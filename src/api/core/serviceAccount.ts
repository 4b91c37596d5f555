import { defineKind } from "../../machinery/defineKind.ts";
import type { ServiceAccount } from "../generated/core-v1.ts";
import { withEach } from "../missing.ts";

/** Of a secret only the name counts. Source: registry/core/serviceaccount strategy.go, cleanSecretReferences. */
const plainSecretReferences = (account: ServiceAccount): ServiceAccount =>
  withEach(account, "secrets", ({ name }) => ({ name }));

const ENFORCE_ANNOTATION = "kubernetes.io/enforce-mountable-secrets";

/** Said once, when the annotation is new. Source: strategy.go, warnIfHasEnforceMountableSecretsAnnotation. */
function accountWarnings({ metadata }: ServiceAccount, previous?: ServiceAccount): string[] {
  const isNew = previous?.metadata.annotations?.[ENFORCE_ANNOTATION] === undefined;
  if (metadata.annotations?.[ENFORCE_ANNOTATION] === undefined || !isNew) return [];
  const advice = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";
  return [`metadata.annotations[${ENFORCE_ANNOTATION}]: ${advice}`];
}

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
  warnings: accountWarnings,
});
