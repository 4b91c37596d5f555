import { describe, expect, it } from "vitest";
import { cidrReasons, ipReasons, legacyCidrReasons, legacyIpReasons } from "./ipReasons.ts";
import {
  cIdentifierReasons,
  configMapKeyReasons,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  envVarNameReasons,
  labelValueReasons,
  maskTrailingDash,
  pathSegmentReasons,
  portNameReasons,
  qualifiedNameReasons,
  relaxedEnvVarNameReasons,
  userIdReasons,
} from "./names.ts";

const long = (length: number) => "a".repeat(length);

describe("names", () => {
  it.each([
    ["a label", dns1123Label, "a-1", []],
    ["a label of 63", dns1123Label, long(63), []],
    ["a label of 64", dns1123Label, long(64), ["must be no more than 63 characters"]],
    ["a label with dots", dns1123Label, "a.b", ["must not contain dots"]],
    [
      "a label in capitals",
      dns1123Label,
      "A",
      [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [
      "a subdomain with an underscore",
      dns1123Subdomain,
      "a_b",
      [
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    [
      "a service name that begins with a digit",
      dns1035Label,
      "1a",
      [
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    ["a plain label key", qualifiedNameReasons, "app", []],
    ["a prefixed label key", qualifiedNameReasons, "app.kubernetes.io/name", []],
    ["a label key without a prefix", qualifiedNameReasons, "/name", ["prefix part must be non-empty"]],
    ["a label key with a long name", qualifiedNameReasons, long(64), ["name part must be no more than 63 bytes"]],
    [
      "an empty label key",
      qualifiedNameReasons,
      "",
      [
        "name part must be non-empty",
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ],
    ],
    ["an empty label value", labelValueReasons, "", []],
    ["a long label value", labelValueReasons, long(64), ["must be no more than 63 bytes"]],
    ["a C identifier", cIdentifierReasons, "A_1", []],
    ["an environment name with a path", envVarNameReasons, "..a", ["must not start with '..'"]],
    ["a lax environment name", relaxedEnvVarNameReasons, "a b%", []],
    [
      "a lax environment name with =",
      relaxedEnvVarNameReasons,
      "a=b",
      ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
    ],
    ["the key ..", configMapKeyReasons, "..", ["must not be '..'"]],
    ["a port name", portNameReasons, "http-1", []],
    [
      "a port name of digits and hyphens",
      portNameReasons,
      "-1--",
      [
        "must contain at least one letter (a-z)",
        "must not contain consecutive hyphens",
        "must not begin or end with a hyphen",
      ],
    ],
    ["a path segment", pathSegmentReasons, "a/b%", ["may not contain '/'", "may not contain '%'"]],
  ] as const)("%s", (_, reasons, value, want) => expect(reasons(value)).toEqual(want));

  it("limits user ids to 31 bits", () => {
    expect(userIdReasons(2147483647)).toEqual([]);
    expect(userIdReasons(-1)).toEqual(["must be between 0 and 2147483647, inclusive"]);
  });

  it("checks a generateName without its dash", () => {
    expect(maskTrailingDash("web-")).toBe("wea");
    expect(maskTrailingDash("-")).toBe("-");
  });
});

describe("addresses", () => {
  const noIp = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
  it.each([
    ["10.0.0.1", [], []],
    ["010.0.0.1", [], ["must not have leading 0s"]],
    ["::ffff:1.2.3.4", [], ["must not be an IPv4-mapped IPv6 address"]],
    ["2001:db8::1", [], []],
    ["2001:DB8:0::1", [], ['must be in canonical form ("2001:db8::1")']],
    ["10.0.0", [noIp], [noIp]],
    ["fe80::1%eth0", [noIp], [noIp]],
    ["1::2::3", [noIp], [noIp]],
  ])("%s", (text, legacy, strict) => {
    expect(legacyIpReasons(text)).toEqual(legacy);
    expect(ipReasons(text)).toEqual(strict);
  });

  const noCidr = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
  it.each([
    ["10.0.0.0/8", [], []],
    ["10.0.0.1/8", [], ["must not have bits set beyond the prefix length"]],
    ["10.0.0.0/08", [], ["must not have leading 0s in IP or prefix length"]],
    ["10.0.0.0/33", [noCidr], [noCidr]],
    ["10.0.0.0", [noCidr], [noCidr]],
    ["2001:db8:0::/64", [], ['must be in canonical form ("2001:db8::/64")']],
  ])("%s", (text, legacy, strict) => {
    expect(legacyCidrReasons(text)).toEqual(legacy);
    expect(cidrReasons(text)).toEqual(strict);
  });
});
