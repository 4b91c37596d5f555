import { describe, expect, test } from "vitest";
import { cellsOf } from "../cellsOf.ts";
import type { ServiceAccount } from "../generated/core-v1.ts";
import { changed, testInvalidObjects, testUpdates } from "../invalidCases.ts";
import { NAMESPACED_CASES, SUBDOMAIN_REASON } from "../metadataCases.ts";
import { serviceAccount } from "./serviceAccount.ts";

const BASE = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "builder", namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" },
  imagePullSecrets: [{ name: "registry" }],
};
const CONTEXT = { nowMs: 0, subresource: "", user: { name: "tester", groups: [] } };
const ENFORCE = "kubernetes.io/enforce-mountable-secrets";

describe("service accounts", () => {
  testInvalidObjects(serviceAccount, BASE, [
    ...NAMESPACED_CASES,
    ["a name in capitals", { "metadata.name": "A" }, `metadata.name: Invalid value: "A": ${SUBDOMAIN_REASON}`],
    [
      "a name that is too long",
      { "metadata.name": "a".repeat(254) },
      `metadata.name: Invalid value: "${"a".repeat(254)}": must be no more than 253 characters`,
    ],
    [
      "a prefix with a blank",
      { "metadata.generateName": "a b" },
      `metadata.generateName: Invalid value: "a b": ${SUBDOMAIN_REASON}`,
    ],
  ]);
  testUpdates(serviceAccount, BASE, [
    ["secrets may change", { secrets: [{ name: "b" }], automountServiceAccountToken: false }],
    ["the UID may not change", { "metadata.uid": "2" }, 'metadata.uid: Invalid value: "2": field is immutable'],
  ]);

  test("of a secret only the name is kept", () => {
    const written = { ...BASE, secrets: [{ kind: "Secret", namespace: "other", name: "a" }] };
    const want = { ...BASE, secrets: [{ name: "a" }] };
    expect(serviceAccount.prepareForCreate(written as unknown as ServiceAccount, CONTEXT)).toEqual(want);
    expect(serviceAccount.prepareForUpdate(written as never, BASE as never, CONTEXT)).toEqual(want);
  });

  test("limiting mounts is remarked on once", () => {
    const plain = BASE as unknown as ServiceAccount;
    const limited = changed(plain, { [`metadata.annotations[${ENFORCE}]`]: "true" });
    const remark = `metadata.annotations[${ENFORCE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`;
    expect(serviceAccount.warnings(plain)).toEqual([]);
    expect(serviceAccount.warnings(limited)).toEqual([remark]);
    expect(serviceAccount.warnings(limited, plain)).toEqual([remark]);
    expect(serviceAccount.warnings(limited, limited)).toEqual([]);
  });

  test("nothing is filled in, and the table shows name and age", () => {
    expect(serviceAccount.withDefaults(BASE as unknown as ServiceAccount)).toBe(BASE);
    expect(cellsOf(serviceAccount, BASE)).toEqual({ Name: "builder", Age: BASE.metadata.creationTimestamp });
  });
});
