/** Who asks: by client certificate, by bearer token, or nobody. Source: apiserver authentication/request. */
import { ApiError } from "../../machinery/errors.ts";
import type { UserInfo } from "../../machinery/requests.ts";

/** What a connection and its request say of their sender. */
export interface Credentials {
  /** Subject of a client certificate that was verified against the client CA. */
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] };
  /** A certificate was shown that does not verify. */
  readonly isCertificateBad?: boolean;
  /** The `Authorization` header. */
  readonly authorization?: string;
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
    if (certificate !== undefined) {
      return authenticated({ name: certificate.commonName, groups: certificate.organizations });
    }
    const token = bearerToken(authorization);
    if (token !== undefined) return byToken(token, verifyToken);
    if (isCertificateBad === true) throw unauthorized();
    return anonymousUser;
  };
}

async function byToken(token: string, verifyToken: TokenVerifier | undefined): Promise<UserInfo> {
  const user = await verifyToken?.(token);
  if (user === undefined) throw unauthorized();
  return authenticated(user);
}

function bearerToken(authorization: string | undefined): string | undefined {
  const match = /^bearer\s+(\S+)\s*$/i.exec(authorization ?? "");
  return match?.[1];
}
