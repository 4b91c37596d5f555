/**
 * An authority whose key and certificate follow from the injected randomness and clock alone, so that a virtual cluster's
 * history is the same every time: Ed25519, whose keys are plain random bytes and whose signatures are deterministic.
 * Only for clusters that live inside one process: who knows the seed knows the key.
 */
import "reflect-metadata";
import { createPrivateKey, createPublicKey, webcrypto } from "node:crypto";
import type { Env } from "../lib/env.ts";
import { type KeyPair, selfSigned } from "./certificates.ts";

/** PKCS #8 header of an Ed25519 key; the 32 bytes of the key follow. Source: RFC 8410, section 10.3. */
const PKCS8_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");
const ALGORITHM = { name: "Ed25519" } as const;

export async function seededAuthority(env: Env, commonName: string): Promise<KeyPair> {
  const pkcs8 = Buffer.concat([PKCS8_HEADER, env.random.bytes(32)]);
  const spki = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })).export({
    type: "spki",
    format: "der",
  });
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["sign"]),
    webcrypto.subtle.importKey("spki", spki, ALGORITHM, true, ["verify"]),
  ]);
  return selfSigned(env, commonName, { privateKey, publicKey }, ALGORITHM);
}
