/**
 * How others check service-account tokens without asking us: the issuer's configuration and its public keys.
 * Source: apiserver pkg/server/routes openidmetadata.go, kubernetes pkg/serviceaccount/openidmetadata.go.
 */
import type { ApiRequest, ApiResponse } from "../../machinery/requests.ts";
import type { TokenSigner } from "../../pki/serviceAccountTokens.ts";

const CONFIGURATION_PATH = "/.well-known/openid-configuration";
const KEYS_PATH = "/openid/v1/jwks";
/** Source: openidmetadata.go, cacheControl. */
const CACHE = { "cache-control": "public, max-age=3600" };

/** Undefined for other paths, and where nobody signs tokens. */
export function issuerResponse(
  { path, method }: ApiRequest,
  signer: TokenSigner | undefined,
  serverAddress: string,
): ApiResponse | undefined {
  if (signer === undefined || (method !== "GET" && method !== "HEAD")) return undefined;
  if (path === KEYS_PATH) return json("application/jwk-set+json", signer.keySet);
  if (path !== CONFIGURATION_PATH) return undefined;
  return json("application/json", {
    issuer: signer.issuer,
    jwks_uri: `https://${serverAddress}${KEYS_PATH}`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  });
}

const json = (contentType: string, value: object): ApiResponse => ({
  type: "bytes",
  status: 200,
  contentType,
  headers: CACHE,
  bytes: Buffer.from(JSON.stringify(value)),
});
