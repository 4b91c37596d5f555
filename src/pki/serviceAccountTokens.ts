/**
 * Service-account tokens: JWTs bound to a ServiceAccount and, mostly, to a Pod. Signing is synchronous (`node:crypto`,
 * ES256), because in a virtual cluster nothing may finish on another thread; see docs/decisions.
 *
 * Source of the claims: kubernetes pkg/serviceaccount/claims.go.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import type { Env } from "../lib/env.ts";

export interface BoundObject {
  readonly name: string;
  readonly uid: string;
}

export interface TokenSubject {
  readonly namespace: string;
  readonly serviceAccount: BoundObject;
  readonly pod?: BoundObject;
  readonly node?: BoundObject;
  readonly secret?: BoundObject;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** What a valid token says. Whether the objects still exist is the caller's to check. */
export interface TokenClaims extends TokenSubject {
  readonly audiences: readonly string[];
  readonly id: string;
}

export interface TokenSigner {
  readonly issuer: string;
  issue(subject: TokenSubject, audiences: readonly string[], lifetimeSeconds: number): IssuedToken;
  /** Undefined when the token is not ours, expired, or for none of `audiences`. */
  verify(token: string, audiences: readonly string[]): TokenClaims | undefined;
  /** JSON Web Key Set for `/openid/v1/jwks`. */
  readonly keySet: { readonly keys: readonly object[] };
}

/** PEM of a new P-256 private key. */
export const createSigningKey = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }) as string;

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly iss: string;
  readonly jti: string;
  readonly sub: string;
  readonly "kubernetes.io": {
    readonly namespace: string;
    readonly serviceaccount: BoundObject;
    readonly pod?: BoundObject;
    readonly node?: BoundObject;
    readonly secret?: BoundObject;
  };
}

const SIGNATURE = { dsaEncoding: "ieee-p1363" } as const;
/** A token longer than this is not ours; parsing stops early. */
const TOKEN_LENGTH_MAX = 16_384;

export function createTokenSigner(
  env: Env,
  options: { readonly issuer: string; readonly signingKey: string },
): TokenSigner {
  const privateKey = createPrivateKey(options.signingKey);
  const publicKey = createPublicKey(privateKey);
  const keyId = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
  const signed = (claims: Claims): string => {
    const text = `${encode({ alg: "ES256", kid: keyId })}.${encode(claims)}`;
    return `${text}.${sign("sha256", Buffer.from(text), { key: privateKey, ...SIGNATURE }).toString("base64url")}`;
  };
  return {
    issuer: options.issuer,
    keySet: { keys: [{ ...publicKey.export({ format: "jwk" }), use: "sig", kid: keyId, alg: "ES256" }] },
    issue: (subject, audiences, lifetimeSeconds) => {
      const nowSeconds = Math.floor(env.clock.now() / 1000);
      const { namespace, serviceAccount, pod, node, secret } = subject;
      const token = signed({
        aud: audiences,
        exp: nowSeconds + lifetimeSeconds,
        iat: nowSeconds,
        nbf: nowSeconds,
        iss: options.issuer,
        jti: env.random.uuid(),
        sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
        "kubernetes.io": {
          namespace,
          serviceaccount: serviceAccount,
          ...(pod !== undefined && { pod }),
          ...(node !== undefined && { node }),
          ...(secret !== undefined && { secret }),
        },
      });
      return { token, expiresAtMs: (nowSeconds + lifetimeSeconds) * 1000 };
    },
    verify: (token, audiences) => {
      const claims = verifiedClaims(token, publicKey);
      if (claims === undefined || claims.iss !== options.issuer) return undefined;
      const nowSeconds = env.clock.now() / 1000;
      if (claims.exp <= nowSeconds || claims.nbf > nowSeconds + 1) return undefined;
      if (!claims.aud.some((audience) => audiences.includes(audience))) return undefined;
      const { namespace, serviceaccount, ...bound } = claims["kubernetes.io"];
      return { namespace, serviceAccount: serviceaccount, ...bound, audiences: claims.aud, id: claims.jti };
    },
  };
}

function verifiedClaims(token: string, publicKey: KeyObject): Claims | undefined {
  const parts = token.split(".");
  if (parts.length !== 3 || token.length > TOKEN_LENGTH_MAX) return undefined;
  const [header, payload, signature] = parts as [string, string, string];
  try {
    if (JSON.parse(Buffer.from(header, "base64url").toString()).alg !== "ES256") return undefined;
    const good = verify(
      "sha256",
      Buffer.from(`${header}.${payload}`),
      { key: publicKey, ...SIGNATURE },
      Buffer.from(signature, "base64url"),
    );
    return good ? (JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims) : undefined;
  } catch {
    return undefined;
  }
}
