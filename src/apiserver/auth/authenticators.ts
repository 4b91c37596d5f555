/** Who asks: by client certificate, by bearer token, or nobody. Source: apiserver authentication/request. */
import { ApiError } from "../../machinery/errors.ts";
import type { UserInfo } from "../../machinery/requests.ts";

/** What a connection and its request say of their sender. */
export interface Credentials {
  /** Subject of a client certificate that was verified against the client CA. */
  readonly certificate?: ClientCertificate;
  /** A certificate was shown that does not verify. */
  readonly isCertificateBad?: boolean;
  /** The `Authorization` header. */
  readonly authorization?: string;
}

export interface ClientCertificate {
  /** "" names nobody. */
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Of the certificate itself, in hexadecimal. */
  readonly sha256: string;
}

export type TokenVerifier = (token: string) => UserInfo | undefined | Promise<UserInfo | undefined>;

export type Authenticator = (credentials: Credentials) => UserInfo | Promise<UserInfo>;

const AUTHENTICATED_GROUP = "system:authenticated";

/** Source: user.Anonymous, user.AllUnauthenticated. */
export const anonymousUser: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

export const unauthorized = (): ApiError => new ApiError("Unauthorized", "Unauthorized");

const authenticated = (user: UserInfo): UserInfo =>
  user.groups.includes(AUTHENTICATED_GROUP) ? user : { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] };

/** @throws ApiError 401 for credentials that are wrong; none at all are those of the anonymous user. */
export function createAuthenticator({ verifyToken }: { readonly verifyToken?: TokenVerifier }): Authenticator {
  return ({ certificate, isCertificateBad, authorization }) => {
    if (certificate !== undefined && certificate.commonName !== "") return authenticated(userOf(certificate));
    const token = bearerToken(authorization);
    if (token !== undefined) return byToken(token, verifyToken);
    if (isCertificateBad === true) throw unauthorized();
    return anonymousUser;
  };
}

/** Source: authentication/request/x509 CommonNameUserConversion. */
const userOf = ({ commonName, organizations, sha256 }: ClientCertificate): UserInfo => ({
  name: commonName,
  groups: organizations,
  extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${sha256}`] },
});

async function byToken(token: string, verifyToken: TokenVerifier | undefined): Promise<UserInfo> {
  const user = await verifyToken?.(token);
  if (user === undefined) throw unauthorized();
  return authenticated(user);
}

function bearerToken(authorization: string | undefined): string | undefined {
  const match = /^bearer\s+(\S+)\s*$/i.exec(authorization ?? "");
  return match?.[1];
}
