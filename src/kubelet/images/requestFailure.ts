import { dialFailure } from "../dial.ts";

const UNKNOWN_AUTHORITY = "tls: failed to verify certificate: x509: certificate signed by unknown authority";

/** OpenSSL's codes, and Go's words for them. Source: go crypto/x509/verify.go, net/http/transport.go. */
const TLS_WORDS: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: "http: server gave HTTP response to HTTPS client",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "http: server gave HTTP response to HTTPS client",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
};

interface Failure extends Error {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
  /** Of a host with several addresses. */
  readonly errors?: readonly Failure[];
  readonly cause?: Failure;
}

/** Why `fetch` failed, which it hides in its cause, as Go words it. */
export function requestFailure(error: unknown, { hostname, port, protocol }: URL): string {
  const { cause, message } = error as Failure;
  const root = cause?.errors?.[0] ?? cause;
  if (root === undefined) return message;
  const {
    code = "",
    syscall,
    address = hostname,
    port: at = Number(port || (protocol === "https:" ? 443 : 80)),
  } = root;
  if (syscall === "getaddrinfo" || syscall === "connect") return dialFailure(address, at, root);
  return TLS_WORDS[code] ?? (root.message || message);
}
