import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Env } from "../lib/env.ts";
import { seededRandom } from "../lib/random.ts";
import { silentLog } from "../lib/silentLog.ts";
import { VirtualClock } from "../lib/virtualClock.ts";
import { createAuthority, expiryMs, issueCertificate } from "./certificates.ts";
import { createSigningKey, createTokenSigner } from "./serviceAccountTokens.ts";

const clock = new VirtualClock();
const env: Env = { clock, random: seededRandom("pki"), log: silentLog };

describe("certificates", () => {
  test("an issued certificate is signed by its authority and names user, groups and addresses", async () => {
    const authority = await createAuthority(env, "kubernetes");
    const { certificate } = await issueCertificate(env, authority, {
      commonName: "system:node:n1",
      organizations: ["system:nodes"],
      dnsNames: ["n1"],
      ips: ["10.0.0.1"],
      usages: ["client", "server"],
    });
    const parsed = new X509Certificate(certificate);
    expect(parsed.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(parsed.subject).toBe("O=system:nodes\nCN=system:node:n1");
    expect(parsed.subjectAltName).toBe("DNS:n1, IP Address:10.0.0.1");
    expect(expiryMs(certificate)).toBe(clock.now() + 365 * 24 * 3_600_000);
  });
});

describe("service-account tokens", () => {
  const signer = createTokenSigner(env, { issuer: "https://kubernetes.default.svc", signingKey: createSigningKey() });
  const subject = {
    namespace: "default",
    serviceAccount: { name: "web", uid: "u1" },
    pod: { name: "web-0", uid: "u2" },
  };

  test("a token tells whom it was issued for", () => {
    const { token } = signer.issue(subject, ["api"], 600);
    expect(signer.verify(token, ["api"])).toMatchObject(subject);
  });
  test("a token for another audience, a changed one and one of another signer are refused", () => {
    const { token } = signer.issue(subject, ["other"], 600);
    const other = createTokenSigner(env, { issuer: signer.issuer, signingKey: createSigningKey() });
    expect(signer.verify(token, ["api"])).toBeUndefined();
    expect(signer.verify(`${token.slice(0, -4)}AAAA`, ["other"])).toBeUndefined();
    expect(signer.verify(other.issue(subject, ["api"], 600).token, ["api"])).toBeUndefined();
    expect(signer.verify("not.a.token", ["api"])).toBeUndefined();
  });
  test("a token ends with its lifetime", async () => {
    const { token } = signer.issue(subject, ["api"], 600);
    await clock.advance(601_000);
    expect(signer.verify(token, ["api"])).toBeUndefined();
  });
});
