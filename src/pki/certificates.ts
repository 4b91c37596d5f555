/**
 * Certificate authorities and the certificates they issue, as kubeadm lays them out: ECDSA P-256 keys, subjects that
 * name a user (CN) and its groups (O).
 *
 * Absent on purpose: revocation. A cluster's CA lives and dies with its data directory.
 */
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Env } from "../lib/env.ts";

x509.cryptoProvider.set(webcrypto as unknown as Crypto);

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** User name, or a server's name. */
  readonly commonName: string;
  /** Groups. */
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
  readonly usages: readonly ("client" | "server")[];
}

/** Source: kubeadm constants CACertificateValidity (10 years) and CertificateValidityPeriod (1 year). */
const CA_VALIDITY_MS = 10 * 365 * 24 * 3_600_000;
const CERTIFICATE_VALIDITY_MS = 365 * 24 * 3_600_000;
/** Clocks differ a little between machines; upstream back-dates by the same (client-go cert.NewSelfSignedCACert). */
const BACKDATE_MS = 5 * 60_000;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const EXTENDED_USAGE = { client: "1.3.6.1.5.5.7.3.2", server: "1.3.6.1.5.5.7.3.1" } as const;

const serialNumber = (env: Env) => {
  const bytes = env.random.bytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
};

const exportKey = async (key: CryptoKey): Promise<string> => {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key as webcrypto.CryptoKey)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/(.{64})(?=.)/g, "$1\n")}\n-----END PRIVATE KEY-----\n`;
};

/** The signing key and its algorithm, which the key itself names. */
const importKey = async (
  pem: string,
): Promise<{ key: CryptoKey; algorithm: typeof ALGORITHM | { name: "Ed25519" } }> => {
  const pkcs8 = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const isEd25519 = createPrivateKey(pem).asymmetricKeyType === "ed25519";
  const algorithm = isEd25519 ? ({ name: "Ed25519" } as const) : ALGORITHM;
  return {
    key: (await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"])) as CryptoKey,
    algorithm,
  };
};

const generateKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
  (await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;

const subject = ({ commonName, organizations = [] }: Pick<CertificateRequest, "commonName" | "organizations">) => [
  ...organizations.map((organization) => ({ O: [organization] })),
  { CN: [commonName] },
];

/** A new self-signed authority. */
export const createAuthority = async (env: Env, commonName: string): Promise<KeyPair> =>
  selfSigned(env, commonName, await generateKeys(), ALGORITHM);

/** The certificate of an authority whose keys are given. */
export async function selfSigned(
  env: Env,
  commonName: string,
  keys: webcrypto.CryptoKeyPair,
  signingAlgorithm: typeof ALGORITHM | { readonly name: "Ed25519" },
): Promise<KeyPair> {
  const nowMs = env.clock.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(env),
    name: subject({ commonName }),
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + CA_VALIDITY_MS),
    signingAlgorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await exportKey(keys.privateKey) };
}

/** A new key and a certificate for it, signed by `authority`. */
export async function issueCertificate(env: Env, authority: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const keys = await generateKeys();
  const nowMs = env.clock.now();
  const issuer = new x509.X509Certificate(authority.certificate);
  const signer = await importKey(authority.key);
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(request.ips ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(env),
    subject: subject(request),
    issuer: issuer.subject,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + CERTIFICATE_VALIDITY_MS),
    signingAlgorithm: signer.algorithm,
    publicKey: keys.publicKey,
    signingKey: signer.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(request.usages.map((usage) => EXTENDED_USAGE[usage])),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await exportKey(keys.privateKey) };
}

/** When the certificate ends, in ms since 1970. */
export const expiryMs = (certificatePem: string): number => new x509.X509Certificate(certificatePem).notAfter.getTime();
