/** Tokens for pods, asked of the API and renewed in time. Source: kubelet token/token_manager.go. */
import type { ServiceAccountTokenProjection } from "../../api/generated/core-v1.ts";
import { serviceAccount } from "../../api/index.ts";
import { resourcePath } from "../../client/client.ts";
import type { VolumeContext } from "./volumeSource.ts";

/** Source: apis/core/v1/defaults.go SetDefaults_ServiceAccountTokenProjection. */
const EXPIRATION_DEFAULT_SECONDS = 3600;
/** Renewed after this share of its life. Source: token_manager.go requiresRefresh. */
const RENEW_SHARE = 0.8;
/** Renewed after a day in any case. Source: token_manager.go maxTTL. */
const AGE_MAX_MS = 24 * 3_600_000;

interface Token {
  readonly token: string;
  readonly renewAtMs: number;
}

interface TokenRequest {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/** Per client, so that several nodes in one process do not share them; then by the pod's UID, audience and life. */
const tokensOf = new WeakMap<object, Map<string, Map<string, Token>>>();

/** The tokens of a pod that is gone. */
export function forgetServiceAccountTokens(client: object, podUid: string): void {
  tokensOf.get(client)?.delete(podUid);
}

function tokensOfPod(client: object, podUid: string): Map<string, Token> {
  const ofClient = tokensOf.get(client) ?? new Map<string, Map<string, Token>>();
  tokensOf.set(client, ofClient);
  const ofPod = ofClient.get(podUid) ?? new Map<string, Token>();
  ofClient.set(podUid, ofPod);
  return ofPod;
}

async function request(context: VolumeContext, source: ServiceAccountTokenProjection): Promise<Token> {
  const { client, env, pod } = context;
  const { name, namespace, uid } = pod.metadata;
  const account = pod.spec.serviceAccountName ?? "default";
  const askedAtMs = env.clock.now();
  const answer = await client.raw<TokenRequest>({
    method: "POST",
    path: resourcePath(serviceAccount, { name: account, namespace: namespace ?? "", subresource: "token" }),
    headers: { "content-type": "application/json" },
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: { name: account, namespace },
      spec: {
        audiences: source.audience === undefined || source.audience === "" ? [] : [source.audience],
        expirationSeconds: source.expirationSeconds ?? EXPIRATION_DEFAULT_SECONDS,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    },
  });
  const lifeMs = Date.parse(answer.status.expirationTimestamp) - askedAtMs;
  return { token: answer.status.token, renewAtMs: askedAtMs + Math.min(lifeMs * RENEW_SHARE, AGE_MAX_MS) };
}

export async function serviceAccountToken(
  context: VolumeContext,
  source: ServiceAccountTokenProjection,
): Promise<string> {
  const tokens = tokensOfPod(context.client, context.pod.metadata.uid);
  const key = `${source.audience ?? ""}/${source.expirationSeconds ?? EXPIRATION_DEFAULT_SECONDS}`;
  let token = tokens.get(key);
  if (token === undefined || token.renewAtMs <= context.env.clock.now()) {
    token = await request(context, source);
    tokens.set(key, token);
  }
  context.renewAt(token.renewAtMs);
  return token.token;
}
