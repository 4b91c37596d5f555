/** The user behind a service-account token. Source: apiserver authentication/serviceaccount/util.go. */
import type { KubeObject } from "../../machinery/object.ts";
import type { UserInfo } from "../../machinery/requests.ts";
import type { TokenClaims, TokenSigner } from "../../pki/serviceAccountTokens.ts";
import type { Reader } from "../reader.ts";
import type { TokenVerifier } from "./authenticators.ts";

export function serviceAccountUser({ namespace, serviceAccount, pod, node, id }: TokenClaims): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
    uid: serviceAccount.uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
    extra: {
      "authentication.kubernetes.io/credential-id": [`JTI=${id}`],
      ...(pod && {
        "authentication.kubernetes.io/pod-name": [pod.name],
        "authentication.kubernetes.io/pod-uid": [pod.uid],
      }),
      ...(node && {
        "authentication.kubernetes.io/node-name": [node.name],
        "authentication.kubernetes.io/node-uid": [node.uid],
      }),
    },
  };
}

/** A token counts only as long as what it is bound to exists. */
export function serviceAccountVerifier(
  signer: TokenSigner,
  audiences: readonly string[],
  reader: Reader,
): TokenVerifier {
  const exists = (resource: string, namespace: string, { name, uid }: { name: string; uid: string }) =>
    reader.get<KubeObject>({ group: "", resource }, namespace, name)?.metadata.uid === uid;
  return async (token) => {
    const claims = signer.verify(token, audiences);
    if (claims === undefined) return undefined;
    await reader.fresh();
    if (!exists("serviceaccounts", claims.namespace, claims.serviceAccount)) return undefined;
    if (claims.pod !== undefined && !exists("pods", claims.namespace, claims.pod)) return undefined;
    if (claims.secret !== undefined && !exists("secrets", claims.namespace, claims.secret)) return undefined;
    return serviceAccountUser(claims);
  };
}
