import { expect, test } from "vitest";
import { tlsPairReason } from "./tlsPairReason.ts";

/** Made for this test alone: openssl req -x509 -newkey ec. */
const CERTIFICATE = [
  "-----BEGIN CERTIFICATE-----",
  "MIIBbzCCARWgAwIBAgIUZ1yflO3dkUE1S2iqK+3+UDYqFhEwCgYIKoZIzj0EAwIw",
  "DDEKMAgGA1UEAwwBYTAgFw0yNjExMjIyMzQzNTNaGA8yMTI2MTAyOTIzNDM1M1ow",
  "DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIsJ04apIWpi",
  "OIEDOP+JwU9f3DYqN8YGj53wkP9pSvAuwpr+njVXI79Jpiwndx3zBSa3pbU6E0LU",
  "wJDWe1pTjTqjUzBRMB0GA1UdDgQWBBQf8dSV604dxd7ann23r8ywj9IGADAfBgNV",
  "HSMEGDAWgBQf8dSV604dxd7ann23r8ywj9IGADAPBgNVHRMBAf8EBTADAQH/MAoG",
  "CCqGSM49BAMCA0gAMEUCIGCYpvdZV8/5PIkX0G1iVN63hKZ4bL42hHCBDMc4z74r",
  "AiEAm52Wm8808/ARkhL5ZIWrybiHC+kQKHuWcKnZdfY0FrM=",
  "-----END CERTIFICATE-----",
].join("\n");
const KEY = [
  "-----BEGIN EC PRIVATE KEY-----",
  "MHcCAQEEINuwzs8/qhRgr6SEPfMSIIhAl3/EljpVFdsYPatSiCVAoAoGCCqGSM49",
  "AwEHoUQDQgAEiwnThqkhamI4gQM4/4nBT1/cNio3xgaPnfCQ/2lK8C7Cmv6eNVcj",
  "v0mmLCd3HfMFJreltToTQtTAkNZ7WlONOg==",
  "-----END EC PRIVATE KEY-----",
].join("\n");

const OTHER_KEY = [
  "-----BEGIN PRIVATE KEY-----",
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPZIhm4ruqPBwJJec",
  "cuXy9ITbL8X9pQXnEZxnLtfSV/ShRANCAASjJB+MlQwTVXVt0NGcVw5RNQxDbljY",
  "gsyoLxHEpJD0MjMdudII+0Kqct6y+JlzF90qkA5eIZR3nj0//0sGweOH",
  "-----END PRIVATE KEY-----",
].join("\n");
const ED25519_KEY = [
  "-----BEGIN PRIVATE KEY-----",
  "MC4CAQAwBQYDK2VwBCIEIB+/DWM0KCBFOlDILxaZWptV/kDD+2mQFw2n3dnRSlCG",
  "-----END PRIVATE KEY-----",
].join("\n");
const REQUEST = ["-----BEGIN CERTIFICATE REQUEST-----", "AAAA", "-----END CERTIFICATE REQUEST-----"].join("\n");
const broken = (type: string) => [`-----BEGIN ${type}-----`, "AAAA", `-----END ${type}-----`].join("\n");

test.each([
  { name: "a pair", reason: undefined },
  { name: "a pair with text around it", certificate: `who: a\n${REQUEST}\n${CERTIFICATE}\n`, reason: undefined },
  { name: "nothing", certificate: "", reason: "tls: failed to find any PEM data in certificate input" },
  {
    name: "the two switched",
    certificate: KEY,
    key: CERTIFICATE,
    reason:
      "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
  },
  {
    name: "requests for certificates",
    certificate: `${REQUEST}\n${REQUEST}`,
    reason:
      'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [CERTIFICATE REQUEST CERTIFICATE REQUEST]',
  },
  { name: "no key", key: "secret", reason: "tls: failed to find any PEM data in key input" },
  {
    name: "a certificate as the key",
    key: CERTIFICATE,
    reason: "tls: found a certificate rather than a key in the PEM for the private key",
  },
  {
    name: "a request as the key",
    key: REQUEST,
    reason:
      'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [CERTIFICATE REQUEST]',
  },
  { name: "a broken certificate", certificate: broken("CERTIFICATE"), reason: "x509: malformed certificate" },
  { name: "a broken key", key: broken("EC PRIVATE KEY"), reason: "tls: failed to parse private key" },
  { name: "a key of another type", key: ED25519_KEY, reason: "tls: private key type does not match public key type" },
  { name: "another key", key: OTHER_KEY, reason: "tls: private key does not match public key" },
])("of $name Go says: $reason", ({ certificate = CERTIFICATE, key = KEY, reason }) => {
  expect(tlsPairReason(certificate, key)).toBe(reason);
});
