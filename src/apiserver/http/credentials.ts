import type { TLSSocket } from "node:tls";
import type { Credentials } from "../auth/authenticators.ts";

type Certificate = Pick<Credentials, "certificate" | "isCertificateBad">;

/** The subject of a connection's certificate does not change, and asking OpenSSL for it is slow. */
const known = new WeakMap<TLSSocket, Certificate>();

function certificateOf(socket: TLSSocket): Certificate {
  const cached = known.get(socket);
  if (cached !== undefined) return cached;
  const { subject, fingerprint256 } = socket.getPeerCertificate() ?? {};
  const found =
    subject === undefined
      ? {}
      : socket.authorized
        ? { certificate: { ...namesOf(subject), sha256: fingerprint256.replaceAll(":", "").toLowerCase() } }
        : { isCertificateBad: true };
  known.set(socket, found);
  return found;
}

const namesOf = ({ CN, O }: { CN?: string | string[]; O?: string | string[] }) => ({
  commonName: [CN ?? ""].flat()[0] ?? "",
  organizations: O === undefined ? [] : [O].flat(),
});

export const credentialsOf = (socket: TLSSocket, authorization: string | undefined): Credentials => ({
  ...certificateOf(socket),
  ...(authorization !== undefined && { authorization }),
});
