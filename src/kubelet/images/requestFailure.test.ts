import { expect, test } from "vitest";
import { requestFailure } from "./requestFailure.ts";

const failed = (cause?: object) => Object.assign(new Error("fetch failed"), cause && { cause });
const at = new URL("https://box.example/v2/");
const refused = { code: "ECONNREFUSED", syscall: "connect", address: "10.0.0.1", port: 5000 };

test.each([
  ["no such name", failed({ code: "ENOTFOUND", syscall: "getaddrinfo" }), "dial tcp: lookup box.example: no such host"],
  ["nobody listens", failed(refused), "dial tcp 10.0.0.1:5000: connect: connection refused"],
  [
    "nobody listens at any address",
    failed({ code: "ECONNREFUSED", errors: [refused] }),
    "dial tcp 10.0.0.1:5000: connect: connection refused",
  ],
  [
    "a registry without TLS",
    failed({ code: "ERR_SSL_WRONG_VERSION_NUMBER", message: "SSL routines" }),
    "http: server gave HTTP response to HTTPS client",
  ],
  [
    "a certificate of its own",
    failed({ code: "DEPTH_ZERO_SELF_SIGNED_CERT", message: "self-signed certificate" }),
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  ],
  ["something else", failed({ message: "bad port" }), "bad port"],
  ["nothing known", failed(), "fetch failed"],
])("%s", (_, error, want) => {
  expect(requestFailure(error, at)).toBe(want);
});
