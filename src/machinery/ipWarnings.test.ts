import { expect, test } from "vitest";
import { FieldPath } from "./fieldErrors.ts";
import { cidrWarnings, ipWarnings } from "./ipWarnings.ts";

const path = new FieldPath("spec").at("ip");

test.each([
  ["10.0.0.1", undefined],
  ["fd00::1", undefined],
  ["None", undefined],
  ["010.0.0.1", 'spec.ip: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"'],
  ["::ffff:1.2.3.4", 'spec.ip: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"'],
  ["FD00:0::1", 'spec.ip: IPv6 address "FD00:0::1" should be in RFC 5952 canonical format ("fd00::1")'],
])("of %s is said: %s", (value, want) => {
  expect(ipWarnings(path, value)).toEqual(want === undefined ? [] : [want]);
});

test.each([
  ["10.0.0.0/8", []],
  ["fd00::/64", []],
  [
    "10.1.0.0/8",
    ['spec.ip: CIDR value "10.1.0.0/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.0.0/32"?)'],
  ],
  ["10.0.0.0/08", ['spec.ip: non-standard CIDR value "10.0.0.0/08" is invalid: use "10.0.0.0/8"']],
  ["FD00::/64", ['spec.ip: IPv6 CIDR value "FD00::/64" should be in RFC 5952 canonical format ("fd00::/64")']],
  [
    "fd00::1/064",
    [
      'spec.ip: CIDR value "fd00::1/064" is ambiguous in this context (should be "fd00::/64" or "fd00::1/128"?)',
      'spec.ip: non-standard CIDR value "fd00::1/064" is invalid: use "fd00::/64"',
    ],
  ],
])("of the range %s is said: %s", (value, want) => {
  expect(cidrWarnings(path, value)).toEqual(want);
});
