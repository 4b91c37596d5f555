/** Service-account tokens as the server deals in them: the seam to whoever signs. */
import type { UserInfo } from "../machinery/requests.ts";
import type { TokenSigner } from "../pki/serviceAccountTokens.ts";
import { serviceAccountVerifier } from "./auth/serviceAccountUser.ts";
import type { Reader } from "./reader.ts";

export interface Tokens {
  readonly signer: TokenSigner;
  /** Of tokens that ask for none. */
  readonly defaultAudiences: readonly string[];
  /** Undefined for a token that is not ours, has expired, or whose account or pod is gone. */
  verify(token: string, audiences?: readonly string[]): Promise<UserInfo | undefined>;
}

export function createTokens(signer: TokenSigner, reader: Reader): Tokens {
  const defaultAudiences = [signer.issuer];
  return {
    signer,
    defaultAudiences,
    verify: async (token, audiences = defaultAudiences) => serviceAccountVerifier(signer, audiences, reader)(token),
  };
}
