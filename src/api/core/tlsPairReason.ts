/**
 * Why a certificate and a key do not make a pair, as Go words it; undefined when they do. Source: Go crypto/tls
 * X509KeyPair. Of a certificate that cannot be read only that is said, not where its encoding breaks.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

interface PemBlock {
  readonly type: string;
  readonly der: Buffer;
}

const PEM_BLOCK = /^-----BEGIN ([^\n]+?)-----[ \t]*\r?\n([\s\S]*?)^-----END \1-----/gm;
/** Lines such as `Proc-Type: 4,ENCRYPTED` before the content. */
const PEM_HEADERS = /^[^\n]*:[^\n]*\n/gm;

const pemBlocks = (text: string): PemBlock[] =>
  [...text.matchAll(PEM_BLOCK)].map(([, type = "", content = ""]) => ({
    type,
    der: Buffer.from(content.replace(PEM_HEADERS, ""), "base64"),
  }));

const listed = (blocks: readonly PemBlock[]): string => `[${blocks.map(({ type }) => type).join(" ")}]`;
const isKey = ({ type }: PemBlock): boolean => type === "PRIVATE KEY" || type.endsWith(" PRIVATE KEY");
const isCertificate = ({ type }: PemBlock): boolean => type === "CERTIFICATE";

function noCertificate(blocks: readonly PemBlock[]): string {
  const [first] = blocks;
  if (first === undefined) return "tls: failed to find any PEM data in certificate input";
  if (blocks.length === 1 && first.type.endsWith("PRIVATE KEY")) {
    return "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
  }
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${listed(blocks)}`;
}

function noKey(blocks: readonly PemBlock[]): string {
  const [first] = blocks;
  if (first === undefined) return "tls: failed to find any PEM data in key input";
  if (blocks.length === 1 && isCertificate(first)) {
    return "tls: found a certificate rather than a key in the PEM for the private key";
  }
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${listed(blocks)}`;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What the block is called does not matter, only what it holds. */
const readKey = (der: Buffer): KeyObject | undefined =>
  (["pkcs1", "pkcs8", "sec1"] as const)
    .map((type) => attempt(() => createPrivateKey({ key: der, format: "der", type })))
    .find((key) => key !== undefined);

const KEY_TYPES: readonly (string | undefined)[] = ["rsa", "ec", "ed25519"];

export function tlsPairReason(certificateText: string, keyText: string): string | undefined {
  const certificates = pemBlocks(certificateText);
  const first = certificates.find(isCertificate);
  if (first === undefined) return noCertificate(certificates);
  const keys = pemBlocks(keyText);
  const keyBlock = keys.find(isKey);
  if (keyBlock === undefined) return noKey(keys);
  const certificate = attempt(() => new X509Certificate(first.der));
  if (certificate === undefined) return "x509: malformed certificate";
  const key = readKey(keyBlock.der);
  if (key === undefined) return "tls: failed to parse private key";
  if (!KEY_TYPES.includes(key.asymmetricKeyType)) return "tls: found unknown private key type in PKCS#8 wrapping";
  const { asymmetricKeyType } = certificate.publicKey;
  if (!KEY_TYPES.includes(asymmetricKeyType)) return "tls: unknown public key algorithm";
  if (asymmetricKeyType !== key.asymmetricKeyType) return "tls: private key type does not match public key type";
  return certificate.checkPrivateKey(key) ? undefined : "tls: private key does not match public key";
}
