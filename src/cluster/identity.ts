/** The keys and certificates of a cluster, made on its first start and kept in `pki/` with kubeadm's file names. */
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Env } from "../lib/env.ts";
import {
  type CertificateRequest,
  createAuthority,
  expiryMs,
  issueCertificate,
  type KeyPair,
} from "../pki/certificates.ts";
import { createSigningKey } from "../pki/serviceAccountTokens.ts";

export interface ClusterIdentity {
  readonly ca: KeyPair;
  readonly server: KeyPair;
  readonly admin: KeyPair;
  /** API server to kubelets and to aggregated servers. */
  readonly kubeletClient: KeyPair;
  readonly signingKey: string;
  /** Client and serving certificate of a node. */
  node(name: string, ips: readonly string[]): Promise<KeyPair>;
}

/** Certificates that end sooner than this are made anew at start. */
const RENEW_BEFORE_MS = 30 * 24 * 3_600_000;

export async function loadIdentity(
  env: Env,
  directory: string,
  options: { readonly serverNames: readonly string[]; readonly serverIps: readonly string[] },
): Promise<ClusterIdentity> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const read = (name: string) => {
    const path = join(directory, name);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  };
  const save = (name: string, pair: KeyPair): KeyPair => {
    writeFileSync(join(directory, `${name}.key`), pair.key, { mode: 0o600 });
    writeFileSync(join(directory, `${name}.crt`), pair.certificate, { mode: 0o644 });
    return pair;
  };
  const keep = async (name: string, make: () => Promise<KeyPair>, request?: CertificateRequest): Promise<KeyPair> => {
    const [certificate, key] = [read(`${name}.crt`), read(`${name}.key`)];
    if (certificate !== undefined && key !== undefined) {
      const isFresh = expiryMs(certificate) > env.clock.now() + RENEW_BEFORE_MS;
      if (isFresh && names(certificate, request)) return { certificate, key };
    }
    return save(name, await make());
  };
  const ca = await keep("ca", () => createAuthority(env, "kubernetes"));
  const issue = (name: string, request: CertificateRequest) =>
    keep(name, () => issueCertificate(env, ca, request), request);
  const [server, admin, kubeletClient] = await Promise.all([
    issue("apiserver", {
      commonName: "kube-apiserver",
      dnsNames: options.serverNames,
      ips: options.serverIps,
      usages: ["server"],
    }),
    // Source: kubeadm ≥1.29 uses kubeadm:cluster-admins; system:masters needs no binding to exist.
    issue("admin", { commonName: "kubernetes-admin", organizations: ["system:masters"], usages: ["client"] }),
    issue("apiserver-kubelet-client", {
      commonName: "kube-apiserver-kubelet-client",
      organizations: ["system:masters"],
      usages: ["client"],
    }),
  ]);
  const signingKey = read("sa.key") ?? createSigningKey();
  writeFileSync(join(directory, "sa.key"), signingKey, { mode: 0o600 });
  return {
    ca,
    server,
    admin,
    kubeletClient,
    signingKey,
    node: (name, ips) =>
      issue(`node-${name}`, {
        commonName: `system:node:${name}`,
        organizations: ["system:nodes"],
        dnsNames: [name],
        ips,
        usages: ["client", "server"],
      }),
  };
}

/** Whether the certificate covers all names and addresses asked for: a machine's addresses change between starts. */
function names(pem: string, { dnsNames = [], ips = [] }: Partial<CertificateRequest> = {}): boolean {
  const certificate = new X509Certificate(pem);
  return (
    dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
    ips.every((ip) => certificate.checkIP(ip) !== undefined)
  );
}
