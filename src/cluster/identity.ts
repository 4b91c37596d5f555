/** The keys and certificates of a cluster, made on its first start and kept in `pki/` with kubeadm's file names. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Env } from "../lib/env.ts";
import { type CertificateRequest, createAuthority, issueCertificate, type KeyPair } from "../pki/certificates.ts";
import { createSigningKey } from "../pki/serviceAccountTokens.ts";
import { typedCommand } from "./typedCommand.ts";
import { UserError } from "./userError.ts";

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

const DAY_MS = 24 * 3_600_000;
/** Certificates that end sooner than this are made anew at start: a cluster may run that long without one. They last a year. */
const CERTIFICATE_ENDS_AFTER_MS = 300 * DAY_MS;
/** The authority outlives what it signs by more than a year. It lasts ten. */
const AUTHORITY_ENDS_AFTER_MS = 400 * DAY_MS;

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
  const stored = (name: string): KeyPair | undefined => {
    const [certificate, key] = [read(`${name}.crt`), read(`${name}.key`)];
    return certificate === undefined || key === undefined ? undefined : { certificate, key };
  };
  const save = (name: string, pair: KeyPair): KeyPair => {
    writeWhole(join(directory, `${name}.key`), pair.key, 0o600);
    writeWhole(join(directory, `${name}.crt`), pair.certificate, 0o644);
    return pair;
  };
  const authority = async (): Promise<KeyPair> => {
    const known = stored("ca");
    // Every kubeconfig that was given out trusts it, so it is never replaced unasked.
    if (known === undefined ? read("ca.crt") !== undefined : !belongTogether(known)) {
      throw damaged(join(directory, "ca.crt"));
    }
    if (known === undefined) return save("ca", await createAuthority(env, "kubernetes"));
    if (isFresh(env, known, AUTHORITY_ENDS_AFTER_MS)) return known;
    env.log.warn("the cluster's certificate authority is about to end and is made anew; so are all certificates");
    return save("ca", await createAuthority(env, "kubernetes"));
  };
  const ca = await authority();
  const issue = async (name: string, request: CertificateRequest): Promise<KeyPair> => {
    const known = stored(name);
    const isGood =
      known !== undefined &&
      belongTogether(known, ca) &&
      isFresh(env, known, CERTIFICATE_ENDS_AFTER_MS) &&
      covers(known, request);
    return isGood ? known : save(name, await issueCertificate(env, ca, request));
  };
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
  if (!isKey(signingKey)) throw damaged(join(directory, "sa.key"));
  writeWhole(join(directory, "sa.key"), signingKey, 0o600);
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

const damaged = (path: string) =>
  new UserError(
    `${path} is damaged: put a copy back, or ${typedCommand("delete", basename(dirname(dirname(path))))} removes the cluster and its keys`,
  );

/** A crash must not leave half a key. */
function writeWhole(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}

function isKey(pem: string): boolean {
  try {
    createPrivateKey(pem);
    return true;
  } catch {
    return false;
  }
}

/** Whether key and certificate are a pair, and signed by `authority`; not when either cannot be read. */
function belongTogether(pair: KeyPair, authority = pair): boolean {
  try {
    const certificate = new X509Certificate(pair.certificate);
    const isOfKey = certificate.checkPrivateKey(createPrivateKey(pair.key));
    return isOfKey && certificate.verify(new X509Certificate(authority.certificate).publicKey);
  } catch {
    return false;
  }
}

/** Neither about to end nor, with a clock that was set back, still to begin. */
function isFresh(env: Env, { certificate }: KeyPair, endsAfterMs: number): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  const nowMs = env.clock.now();
  return Date.parse(validFrom) <= nowMs && Date.parse(validTo) > nowMs + endsAfterMs;
}

/** Whether the certificate names all that is asked for: a machine's addresses change between starts. */
function covers(pair: KeyPair, { dnsNames = [], ips = [] }: CertificateRequest): boolean {
  const certificate = new X509Certificate(pair.certificate);
  return (
    dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
    ips.every((ip) => certificate.checkIP(ip) !== undefined)
  );
}
